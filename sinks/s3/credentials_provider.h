// CredentialsProvider: the credentials that requests are signed with now, renewed before they expire. A push may run
// longer than temporary credentials live.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "io/clock.h"
#include "io/result.h"
#include "sinks/s3/aws_credentials.h"

namespace drs {

inline constexpr std::chrono::minutes kCredentialsRenewBefore{5};  // they expire
inline constexpr std::chrono::seconds kCredentialsRenewPause{30};  // between attempts, while the old ones are valid

// Shared by the stores of one process; any thread. Credentials once handed out stay as they are.
class CredentialsProvider {
 public:
  using Fetch =
      std::function<Result<AwsCredentials>()>;  // such as CredentialsChain::fetch; called by one thread at a time

  // `clock` is borrowed.
  CredentialsProvider(Fetch fetch, const Clock& clock) : fetch_(std::move(fetch)), clock_(clock) {}

  // Fetches the first time, and again from kCredentialsRenewBefore their end on; when that fails, the old ones are
  // given as long as they are valid. May block for as long as fetching does. Errors: those of the fetch; kUnavailable
  // for credentials that have expired already as they come.
  Result<std::shared_ptr<const AwsCredentials>> get();

  // For a service that called `refused` expired or unknown: fetches, unless another thread has already. Errors: as
  // `get`; kDenied when the place still gives the same. Either way `get` goes on giving what is valid.
  Result<std::shared_ptr<const AwsCredentials>> refresh(const std::shared_ptr<const AwsCredentials>& refused);

 private:
  // All need the mutex held.
  Result<void> renew();
  [[nodiscard]] bool valid_for(std::chrono::nanoseconds duration) const;

  Fetch fetch_;
  const Clock& clock_;
  std::mutex mutex_;
  std::shared_ptr<const AwsCredentials> current_;
  std::optional<std::chrono::steady_clock::time_point> tried_at_;  // the last fetch
};

}  // namespace drs
