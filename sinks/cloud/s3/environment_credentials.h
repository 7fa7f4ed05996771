// Credentials from environment variables.
#pragma once

#include "io/base/result.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/transport/environment.h"

namespace drs {

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if it is set, AWS_SESSION_TOKEN. Errors: kUsage (one of the two is
// missing, or a value cannot be sent).
Result<CredentialsLookup> environment_credentials(const Environment& environment);

}  // namespace drs
