// When a request that failed is made again: exponential backoff with full jitter, a cap, and a budget of time for each
// object. ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter does the least work.) The one
// place that decides it, for all stores. Pure: the caller has the clock and the dice. Threads: one, but for
// StoreOutage.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace drs {

struct RetryOptions {
  std::chrono::milliseconds first{200};
  std::chrono::milliseconds cap{30'000};
  // From an object's first failure on (--store-timeout): how long an outage may last.
  std::chrono::milliseconds budget{15 * 60'000};
};

// The attempts at one object.
class RetrySchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit RetrySchedule(const RetryOptions& options) : options_(options) {}

  // An attempt has failed at `now`: when to make the next one; nothing once the budget is spent. `retry_after` is what
  // the server asked for, at most the cap. `dice` is a random number.
  std::optional<Time> next(Time now, std::optional<std::chrono::seconds> retry_after, std::uint64_t dice);
  [[nodiscard]] unsigned failures() const { return failures_; }
  [[nodiscard]] Time first_failure() const { return first_failure_; }  // once there was one

 private:
  RetryOptions options_;
  unsigned failures_ = 0;
  Time first_failure_{};
};

// Whether a store is away, as all its instances in this process see it: told to the operator while it lasts, and once
// it has lasted too long for one object, nothing else waits as long again. Any thread.
class StoreOutage {
 public:
  using Time = RetrySchedule::Time;
  using Tell = std::function<void(const std::string& text)>;
  static constexpr std::chrono::seconds kToldAfter{10};
  // `tell` may be empty; it is called by whichever thread notices, one at a time.
  explicit StoreOutage(Tell tell) : tell_(std::move(tell)) {}

  void failed(Time now, const std::string& answer);  // an attempt did; `answer` is the store's
  void succeeded(Time now);
  void gave_up();  // an object's budget is spent
  // Since then nothing has succeeded: what fails now is not tried again.
  [[nodiscard]] bool given_up() const { return given_up_.load(std::memory_order_relaxed); }

 private:
  const Tell tell_;
  std::atomic<bool> given_up_{false};
  std::atomic<bool> calm_{true};  // no failure since the last success
  std::mutex mutex_;
  Time since_{};
  bool told_ = false;
};

// How many transfers run at once: as many as the store takes. Halved when it says that it is too much, at most once in
// `kHalvingPause`, and one more after as many successes as run at once.
class TransferWindow {
 public:
  static constexpr std::chrono::milliseconds kHalvingPause{1000};
  TransferWindow(std::size_t first, std::size_t max) : size_(first), max_(max) {}
  [[nodiscard]] std::size_t size() const { return size_; }
  void succeeded();
  void slow_down(RetrySchedule::Time now);

 private:
  std::size_t size_;
  std::size_t max_;
  std::size_t successes_ = 0;
  std::optional<RetrySchedule::Time> halved_;
};

}  // namespace drs
