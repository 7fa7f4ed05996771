// Decides, for all stores, when a failed request is repeated: exponential backoff with full jitter, a cap, and a time
// budget for each object. ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter does the least
// work.) Pure: the caller has the clock and the dice. Threads: one, except for StoreOutage.
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
  // How long an outage may last, from the first failure of an object (--store-timeout).
  std::chrono::milliseconds budget{15 * 60'000};
  // The same, while nothing shows that a longer wait can help: before any request to the store has succeeded in this
  // process, the endpoint may be wrong.
  std::chrono::milliseconds brief_budget{10'000};
};

// The attempts at one object.
class RetrySchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // `deadline`: that of earlier requests for the same object, if any failed.
  explicit RetrySchedule(const RetryOptions& options, std::optional<Time> deadline = {})
      : options_(options), deadline_(deadline) {}

  struct Failure {
    std::optional<std::chrono::seconds> retry_after = {};  // as the server asked; the cap limits it
    std::chrono::milliseconds quiet_for{0};                // the silence before the failure; the outage began then
    bool brief = false;                                    // use only the brief budget
  };
  // Takes an attempt that failed at `now`. Returns the time of the next one; none once the budget is spent. `dice` is a
  // random number.
  std::optional<Time> next(Time now, const Failure& failure, std::uint64_t dice);
  [[nodiscard]] unsigned failures() const { return failures_; }
  [[nodiscard]] Time began() const { return began_; }  // start of the outage, after a failed attempt
  // The end of the whole budget; none before the first failure.
  [[nodiscard]] std::optional<Time> deadline() const { return deadline_; }

 private:
  RetryOptions options_;
  unsigned failures_ = 0;
  Time began_{};
  std::optional<Time> deadline_;
};

// Whether a store is unreachable, as all its instances in this process see it. Reports an outage to the operator while
// it lasts. Once it has lasted too long for one object, nothing else waits as long again. Any thread.
class StoreOutage {
 public:
  using Time = RetrySchedule::Time;
  using Report = std::function<void(const std::string& text)>;
  static constexpr std::chrono::seconds kToldAfter{10};
  // `report` may be empty; it is called by the thread that notices, one call at a time.
  explicit StoreOutage(Report report) : report_(std::move(report)) {}

  void failed(Time now, const std::string& answer);  // an attempt failed with this answer
  void succeeded(Time now);
  // An answer came from a store of this kind, even if it is an error.
  void met() { met_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool was_met() const { return met_.load(std::memory_order_relaxed); }
  void gave_up(const std::string& failure);  // the budget of an object is spent; `failure` is its error
  // Nothing has succeeded since `gave_up`: failed requests are not repeated.
  [[nodiscard]] bool given_up() const { return given_up_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::string given_up_for() const;  // the first such failure

 private:
  const Report report_;
  std::atomic<bool> given_up_{false};
  std::atomic<bool> met_{false};
  std::atomic<bool> calm_{true};  // no failure since the last success
  mutable std::mutex mutex_;
  std::string given_up_for_;
  Time since_{};
  bool told_ = false;
};

// How many transfers run at once: as many as the store takes. Halved when the store says that it is overloaded, at most
// once in `kHalvingPause`; increased by one after as many successes as run at once.
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
