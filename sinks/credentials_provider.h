// CredentialsProvider: the credentials that requests are authorised with now, renewed before they expire. A push may
// run longer than temporary credentials live.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "io/catch_thrown.h"
#include "io/clock.h"
#include "io/result.h"
#include "sinks/iso_time.h"

namespace drs {

inline constexpr std::chrono::minutes kCredentialsRenewBefore{5};  // they expire
inline constexpr std::chrono::seconds kCredentialsRenewPause{30};  // between attempts, while the old ones are valid

// Credentials have `expires_ns` (since 1970; none: they do not expire), `origin` (for messages: "the environment") and
// same_credentials(a, b): whether a service would take one for the other.
//
// Shared by the stores of one process; any thread. Credentials once handed out stay as they are.
template <typename Credentials>
class CredentialsProvider {
 public:
  using Fetch = std::function<Result<Credentials>()>;  // such as CredentialsChain::fetch; one thread calls it at a time

  // `clock` is borrowed.
  CredentialsProvider(Fetch fetch, const Clock& clock) : fetch_(std::move(fetch)), clock_(clock) {}

  // Fetches the first time, and again from kCredentialsRenewBefore their end on; when that fails, the old ones are
  // given as long as they are valid. Blocks as long as fetching does only where there are no valid ones, or for the one
  // thread that fetches; what that comes to all get that wait for it. Errors: those of the fetch; kUnavailable for
  // credentials that have expired already as they come.
  Result<std::shared_ptr<const Credentials>> get() {
    std::unique_lock lock(mutex_);
    if (current_ && valid_for(kCredentialsRenewBefore)) return current_;
    const bool just_tried = tried_at_ && clock_.steady() < *tried_at_ + kCredentialsRenewPause;
    if (usable() && (round_ || just_tried)) return current_;
    if (Result<void> renewed = renew(lock); !renewed.ok() && !usable()) return std::move(renewed).error();
    return current_;
  }

  // For a service that called `refused` expired or unknown: fetches, unless another thread has already. Errors: as
  // `get`; kDenied when the place still gives the same. Either way `get` goes on giving what is valid.
  Result<std::shared_ptr<const Credentials>> refresh(const std::shared_ptr<const Credentials>& refused) {
    std::unique_lock lock(mutex_);
    if (current_ && current_ != refused) return current_;
    DRS_RETURN_IF_ERROR(renew(lock));
    if (refused && same_credentials(*current_, *refused))
      return Error{ErrorCode::kDenied, "the credentials from " + current_->origin +
                                           " were refused, and no others are to be had from there"};
    return current_;
  }

 private:
  // One fetch, and what all that wait for it hear.
  struct Round {
    bool done = false;
    Result<void> result;
  };

  // All need the mutex held. It is released while the fetch runs.
  Result<void> renew(std::unique_lock<std::mutex>& lock) {
    if (const std::shared_ptr<Round> round = round_) {
      round_done_.wait(lock, [&] { return round->done; });
      return round->result;
    }
    const auto round = std::make_shared<Round>();
    round_ = round;
    tried_at_ = clock_.steady();
    lock.unlock();
    // Whatever was thrown, too, ends the round: else all wait for it for ever.
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
          Error{ErrorCode::kUnavailable, "the credentials from " + fetched->origin + " expired at " +
                                             format_iso_time(*fetched->expires_ns) +
                                             ", and this machine's clock says " + format_iso_time(clock_.wall_ns())};
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
