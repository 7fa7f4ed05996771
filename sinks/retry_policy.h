// When a request that failed is made again: exponential backoff with full jitter, a cap, and a budget of time for each
// object. ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter does the least work.) The one
// place that decides it, for all stores. Pure: the caller has the clock and the dice. Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

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
  // An attempt has moved things on: what fails from here on has a budget of its own.
  void reset() { *this = RetrySchedule(options_); }
  [[nodiscard]] unsigned failures() const { return failures_; }

 private:
  RetryOptions options_;
  unsigned failures_ = 0;
  Time first_failure_{};
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
