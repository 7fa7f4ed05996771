#include "sinks/cloud/s3/environment_credentials.h"

#include <utility>

namespace drs {

Result<CredentialsLookup> environment_credentials(const Environment& environment) {
  const auto id = environment.variable("AWS_ACCESS_KEY_ID");
  const auto secret = environment.variable("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return CredentialsLookup{std::nullopt, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"};
  if (!id) return Error(ErrorCode::kUsage, "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not");
  if (!secret) return Error(ErrorCode::kUsage, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
  AwsCredentials out;
  out.access_key_id = *id;
  out.secret_access_key = SecretBytes::copy_of(as_bytes(*secret));
  if (const auto token = environment.variable("AWS_SESSION_TOKEN"))
    out.session_token = SecretBytes::copy_of(as_bytes(*token));
  DRS_RETURN_IF_ERROR(check_credentials(out));
  return CredentialsLookup{std::move(out), {}};
}

}  // namespace drs
