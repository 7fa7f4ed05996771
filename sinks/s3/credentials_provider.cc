#include "sinks/s3/credentials_provider.h"

#include <utility>

#include "sinks/s3/aws_time.h"

namespace drs {
namespace {

bool same(const AwsCredentials& a, const AwsCredentials& b) {
  return a.access_key_id == b.access_key_id &&
         equal_constant_time(a.secret_access_key.view(), b.secret_access_key.view()) &&
         equal_constant_time(a.session_token.view(), b.session_token.view());
}

}  // namespace

Result<std::shared_ptr<const AwsCredentials>> CredentialsProvider::get() {
  const std::scoped_lock lock(mutex_);
  if (current_ && valid_for(kCredentialsRenewBefore)) return current_;
  const bool usable = current_ && valid_for(std::chrono::nanoseconds(0));
  if (usable && tried_at_ && clock_.steady() < *tried_at_ + kCredentialsRenewPause) return current_;
  if (Result<void> renewed = renew(); !renewed.ok() && !usable) return std::move(renewed).error();
  return current_;
}

Result<std::shared_ptr<const AwsCredentials>> CredentialsProvider::refresh(
    const std::shared_ptr<const AwsCredentials>& refused) {
  const std::scoped_lock lock(mutex_);
  if (current_ && current_ != refused) return current_;
  DRS_RETURN_IF_ERROR(renew());
  if (refused && same(*current_, *refused))
    return Error{ErrorCode::kDenied,
                 "the credentials from " + current_->origin + " were refused, and no others are to be had from there"};
  return current_;
}

Result<void> CredentialsProvider::renew() {
  tried_at_ = clock_.steady();
  Result<AwsCredentials> fetched = fetch_();
  if (fetched.ok() && fetched->expires_ns && *fetched->expires_ns <= clock_.wall_ns())
    fetched = Error{ErrorCode::kUnavailable,
                    "the credentials from " + fetched->origin + " expired at " + format_aws_time(*fetched->expires_ns) +
                        ", and this machine's clock says " + format_aws_time(clock_.wall_ns())};
  if (!fetched.ok()) return std::move(fetched).error();
  current_ = std::make_shared<const AwsCredentials>(*std::move(fetched));
  return {};
}

bool CredentialsProvider::valid_for(std::chrono::nanoseconds duration) const {
  return !current_->expires_ns || clock_.wall_ns() < *current_->expires_ns - duration.count();
}

}  // namespace drs
