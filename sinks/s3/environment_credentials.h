// Credentials as variables of the environment set them.
#pragma once

#include "io/result.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/surroundings.h"

namespace drs {

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where it is set, AWS_SESSION_TOKEN. Errors: kUsage (half of a pair, or
// what cannot be sent).
Result<CredentialsLookup> environment_credentials(const Surroundings& surroundings);

}  // namespace drs
