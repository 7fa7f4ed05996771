// Credentials from the endpoint that ECS (task roles) and EKS (pod identities) give a container.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
#pragma once

#include "io/base/result.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/transport/environment.h"

namespace drs {

// Asks the URL of AWS_CONTAINER_CREDENTIALS_RELATIVE_URI at the address of ECS, else that of
// AWS_CONTAINER_CREDENTIALS_FULL_URI: any host over https; over http only this machine and the addresses of ECS and
// EKS, since the answer decides the identity with which drstream writes. Sends the token of
// AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (read anew each time), else of AWS_CONTAINER_AUTHORIZATION_TOKEN. Errors:
// kUsage, kDenied, kUnavailable.
Result<CredentialsLookup> container_credentials(const Environment& environment);

}  // namespace drs
