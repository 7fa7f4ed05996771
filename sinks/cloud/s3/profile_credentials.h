// Credentials from a profile in the files that AWS tools share.
#pragma once

#include <cstddef>
#include <string>

#include "io/base/result.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/cloud/s3/aws_profile.h"
#include "sinks/transport/environment.h"

namespace drs {

inline constexpr std::size_t kProfilesInARowMax = 8;  // that name each other as source_profile

// Uses, in this order: a role (`role_arn`) with `web_identity_token_file`, with `source_profile` or with
// `credential_source` (Environment, Ec2InstanceMetadata, EcsContainer); aws_access_key_id and aws_secret_access_key,
// optionally with aws_session_token; `credential_process`. For a role, also `role_session_name`, `external_id` and
// `duration_seconds`. A source profile with keys returns those, whatever role it names, as in AWS's own tools. A role
// that requires a device code (mfa_serial) and single sign-on are refused with a workaround, instead of falling back to
// keys of another identity. `region` is for STS. Errors: kUsage, kDenied, kUnavailable.
Result<CredentialsLookup> profile_credentials(const Environment& environment, const AwsProfile& profile,
                                              const std::string& region);

}  // namespace drs
