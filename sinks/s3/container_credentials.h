// Credentials from the endpoint that ECS (task roles) and EKS (pod identities) give a container.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
#pragma once

#include "io/result.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/surroundings.h"

namespace drs {

// From AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, at ECS's own address, else from AWS_CONTAINER_CREDENTIALS_FULL_URI: over
// https from anywhere, over http only from this machine and the addresses of ECS and EKS, since whoever answers decides
// as whom we write. The token of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (read anew each time), else of
// AWS_CONTAINER_AUTHORIZATION_TOKEN, goes along. Errors: kUsage, kDenied, kUnavailable.
Result<CredentialsLookup> container_credentials(const Surroundings& surroundings);

}  // namespace drs
