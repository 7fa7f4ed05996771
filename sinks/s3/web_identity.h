// Credentials for a role against a token of an identity provider (OpenID Connect), which is how a pod on EKS or a job
// on a CI service proves who it is: AssumeRoleWithWebIdentity of AWS STS.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
#pragma once

#include <string>

#include "io/result.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/s3/sts.h"
#include "sinks/surroundings.h"

namespace drs {

struct WebIdentity {
  std::string token_file;  // read anew each time: it is replaced before it expires
  StsRole role;
  StsPlace sts;
};

// `place` and `origin` are left to the caller. Errors: kUsage (the token file, the endpoint, the region), kDenied (STS
// refuses), kUnavailable. No text holds the token.
Result<AwsCredentials> assume_role_with_web_identity(const Surroundings& surroundings, const WebIdentity& identity);

}  // namespace drs
