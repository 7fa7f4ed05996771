// CredentialsChain: searches for credentials in the order that all AWS tools share, so that drstream has the same
// identity as they. https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
//
//   1. environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   2. web identity: AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME
//   3. the profile (sinks/cloud/s3/profile_credentials.h)
//   4. container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI
//   5. instance metadata
//
// The first place that is set up decides. If it fails, the search fails, since a later place could have another
// identity with other rights. Once a place has returned credentials, only it is asked again.
#pragma once

#include <optional>
#include <string>

#include "io/base/result.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/transport/environment.h"

namespace drs {

struct CredentialsChainOptions {
  std::string region;          // for STS; empty: that of resolve_aws_region
  bool profile_named = false;  // as `aws --profile`: the profile replaces the credentials of the environment
};

// One instance, one thread.
class CredentialsChain {
 public:
  CredentialsChain(Environment environment, CredentialsChainOptions options)
      : environment_(std::move(environment)), options_(std::move(options)) {}

  // Errors: kUsage (no place is set up, or one is set up wrongly), kDenied (the place refuses), kUnavailable (it does
  // not answer). The text lists every place that was searched, and why it returned nothing.
  Result<AwsCredentials> fetch();

 private:
  Environment environment_;
  CredentialsChainOptions options_;
  std::optional<CredentialsPlace> settled_;
};

}  // namespace drs
