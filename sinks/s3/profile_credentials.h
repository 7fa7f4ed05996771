// Credentials as a profile of AWS's shared files sets them up.
#pragma once

#include <string>

#include "io/result.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/s3/aws_profile.h"
#include "sinks/surroundings.h"

namespace drs {

// In this order: a role with `web_identity_token_file`; aws_access_key_id and aws_secret_access_key, maybe with
// aws_session_token; `credential_process`. A role by other means (source_profile, credential_source) and single sign-on
// are refused with the way round them, rather than passed over for keys that mean another identity. `region` is for
// STS. Errors: kUsage, kDenied, kUnavailable.
Result<CredentialsLookup> profile_credentials(const Surroundings& surroundings, const AwsProfile& profile,
                                              const std::string& region);

}  // namespace drs
