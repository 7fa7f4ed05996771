// Credentials as a profile of AWS's shared files sets them up.
#pragma once

#include <cstddef>
#include <string>

#include "io/result.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/s3/aws_profile.h"
#include "sinks/surroundings.h"

namespace drs {

inline constexpr std::size_t kProfilesInARowMax = 8;  // that lead to each other by source_profile

// In this order: a role (`role_arn`) with `web_identity_token_file`, with `source_profile` or with `credential_source`
// (Environment, Ec2InstanceMetadata, EcsContainer); aws_access_key_id and aws_secret_access_key, maybe with
// aws_session_token; `credential_process`. Of a role, `role_session_name`, `external_id` and `duration_seconds` count.
// A source profile that has keys gives those, whatever role it names, as with AWS's own tools. A role that wants a code
// of a device (mfa_serial) and single sign-on are refused with the way round them, rather than passed over for keys
// that mean another identity. `region` is for STS. Errors: kUsage, kDenied, kUnavailable.
Result<CredentialsLookup> profile_credentials(const Surroundings& surroundings, const AwsProfile& profile,
                                              const std::string& region);

}  // namespace drs
