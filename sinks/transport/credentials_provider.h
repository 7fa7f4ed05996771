// CredentialsProvider: the credentials that authorise requests now, renewed before they expire. A push may run longer
// than temporary credentials live.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "io/base/catch_thrown.h"
#include "io/base/clock.h"
#include "io/base/result.h"
#include "sinks/transport/iso_time.h"

namespace drs {

inline constexpr std::chrono::minutes kCredentialsRenewBefore{5};  // before they expire
inline constexpr std::chrono::seconds kCredentialsRenewPause{30};  // between attempts, while the old ones are valid

// Credentials have `expires_ns` (since 1970; none: they do not expire), `origin` (for messages: "the environment") and
// same_credentials(a, b): whether a service would not distinguish the two.
//
// Shared by the stores of one process; any thread. Credentials that were returned never change.
template <typename Credentials>
class CredentialsProvider {
 public:
  using Fetch = std::function<Result<Credentials>()>;  // such as CredentialsChain::fetch; one thread calls it at a time

  // `clock` is borrowed.
  CredentialsProvider(Fetch fetch, const Clock& clock) : fetch_(std::move(fetch)), clock_(clock) {}

  // Fetches at the first call, and again from kCredentialsRenewBefore their expiry on. If that fails, returns the old
  // ones while they are valid. Blocks for a fetch only in the thread that fetches, or if there are no valid
  // credentials; all threads that wait for a fetch get its result. Errors: those of the fetch; kUnavailable for
  // credentials that have already expired on arrival.
  Result<std::shared_ptr<const Credentials>> get() {
    std::unique_lock lock(mutex_);
    if (current_ && valid_for(kCredentialsRenewBefore)) return current_;
    const bool just_tried = tried_at_ && clock_.steady() < *tried_at_ + kCredentialsRenewPause;
    if (usable() && (round_ || just_tried)) return current_;
    if (Result<void> renewed = renew(lock); !renewed.ok() && !usable()) return std::move(renewed).error();
    return current_;
  }

  // For a service that refused `refused` as expired or unknown: fetches, unless another thread already has. Errors: as
  // `get`; kDenied if the place returns the same credentials. `get` continues to return what is valid in either case.
  Result<std::shared_ptr<const Credentials>> refresh(const std::shared_ptr<const Credentials>& refused) {
    std::unique_lock lock(mutex_);
    if (current_ && current_ != refused) return current_;
    DRS_RETURN_IF_ERROR(renew(lock));
    if (refused && same_credentials(*current_, *refused))
      return Error(ErrorCode::kDenied, "the credentials from " + current_->origin +
                                           " were refused, and no others are to be had from there");
    return current_;
  }

 private:
  // One fetch, and the result for all threads that wait for it.
  struct Round {
    bool done = false;
    Result<void> result;
  };

  // The caller of these holds the mutex. It is released while the fetch runs.
  Result<void> renew(std::unique_lock<std::mutex>& lock) {
    if (const std::shared_ptr<Round> round = round_) {
      round_done_.wait(lock, [&] { return round->done; });
      return round->result;
    }
    const auto round = std::make_shared<Round>();
    round_ = round;
    tried_at_ = clock_.steady();
    lock.unlock();
    // An exception ends the round, too; otherwise the waiting threads would wait for ever.
    Result<Credentials> fetched = catch_thrown([&] { return fetch_(); });
    lock.lock();
    round->result = catch_thrown([&] { return take(std::move(fetched)); });
    round->done = true;
    round_ = nullptr;
    round_done_.notify_all();
    return round->result;
  }
  Result<void> take(Result<Credentials> fetched) {
    if (fetched.ok() && fetched->expires_ns && *fetched->expires_ns <= clock_.wall_ns())
      fetched =
          Error(ErrorCode::kUnavailable, "the credentials from " + fetched->origin + " expired at " +
                                             format_iso_time(*fetched->expires_ns) +
                                             ", and this machine's clock says " + format_iso_time(clock_.wall_ns()));
    if (!fetched.ok()) return std::move(fetched).error();
    current_ = std::make_shared<const Credentials>(*std::move(fetched));
    return {};
  }
  [[nodiscard]] bool usable() const { return current_ && valid_for(std::chrono::nanoseconds(0)); }
  [[nodiscard]] bool valid_for(std::chrono::nanoseconds duration) const {
    return !current_->expires_ns || clock_.wall_ns() < *current_->expires_ns - duration.count();
  }

  Fetch fetch_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable round_done_;
  std::shared_ptr<Round> round_;  // the fetch that runs now
  std::shared_ptr<const Credentials> current_;
  std::optional<std::chrono::steady_clock::time_point> tried_at_;  // the last fetch
};

}  // namespace drs
