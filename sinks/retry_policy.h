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
  // From when an object first failed to move (--store-timeout): how long an outage may last.
  std::chrono::milliseconds budget{15 * 60'000};
  // The same while nothing shows that a longer wait can help: before anything has worked with the store in this
  // process, what looks like a wrong endpoint.
  std::chrono::milliseconds brief_budget{10'000};
};

// The attempts at one object.
class RetrySchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // `deadline`: of earlier requests for the same object, which have failed before.
  explicit RetrySchedule(const RetryOptions& options, std::optional<Time> deadline = {})
      : options_(options), deadline_(deadline) {}

  struct Failure {
    std::optional<std::chrono::seconds> retry_after = {};  // what the server asked for; at most the cap counts
    std::chrono::milliseconds quiet_for{0};                // how long nothing had moved: the outage began then
    bool brief = false;                                    // only the brief budget
  };
  // An attempt has failed at `now`: when to make the next one; nothing once the budget is spent. `dice` is a random
  // number.
  std::optional<Time> next(Time now, const Failure& failure, std::uint64_t dice);
  [[nodiscard]] unsigned failures() const { return failures_; }
  [[nodiscard]] Time began() const { return began_; }  // of the outage, once an attempt has failed
  // When the whole budget ends; none before anything has failed.
  [[nodiscard]] std::optional<Time> deadline() const { return deadline_; }

 private:
  RetryOptions options_;
  unsigned failures_ = 0;
  Time began_{};
  std::optional<Time> deadline_;
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
  // Something answered as a store of this kind does, if only with an error.
  void met() { met_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool was_met() const { return met_.load(std::memory_order_relaxed); }
  void gave_up(const std::string& failure);  // an object's budget is spent; `failure` says on what
  // Since then nothing has succeeded: what fails now is not tried again.
  [[nodiscard]] bool given_up() const { return given_up_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::string given_up_for() const;  // the first such failure

 private:
  const Tell tell_;
  std::atomic<bool> given_up_{false};
  std::atomic<bool> met_{false};
  std::atomic<bool> calm_{true};  // no failure since the last success
  mutable std::mutex mutex_;
  std::string given_up_for_;
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
