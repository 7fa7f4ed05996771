// CredentialsChain: AWS's own search for credentials, so that drstream writes as whom every other tool on the machine
// would. https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
//
//   1. environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   2. web identity: AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME
//   3. the profile (sinks/s3/profile_credentials.h)
//   4. container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI
//   5. instance metadata
//
// The first place that is set up decides. If it fails, the search fails: going on could find another identity, with
// other rights to another account. Once a place has given credentials, only it is asked again.
#pragma once

#include <optional>
#include <string>

#include "io/result.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/surroundings.h"

namespace drs {

struct CredentialsChainOptions {
  std::string region;          // where STS is asked; empty: as resolve_aws_region finds
  bool profile_named = false;  // as with `aws --profile`: it comes before the environment, which is not looked at
};

// One instance, one thread.
class CredentialsChain {
 public:
  CredentialsChain(Surroundings surroundings, CredentialsChainOptions options)
      : surroundings_(std::move(surroundings)), options_(std::move(options)) {}

  // Errors: kUsage (nothing is set up, or wrongly), kDenied (the place refuses), kUnavailable (it does not answer). The
  // text lists every place that was looked at, and why each gave nothing.
  Result<AwsCredentials> fetch();

 private:
  Surroundings surroundings_;
  CredentialsChainOptions options_;
  std::optional<CredentialsPlace> settled_;
};

}  // namespace drs
