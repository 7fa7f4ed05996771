// Credentials for a role in exchange for a token of an identity provider (OpenID Connect), by AssumeRoleWithWebIdentity
// of AWS STS: the identity of a pod on EKS or of a job of a CI service.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
#pragma once

#include <string>

#include "io/base/result.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/cloud/s3/sts.h"
#include "sinks/transport/environment.h"

namespace drs {

struct WebIdentity {
  std::string token_file;  // read anew each time: it is replaced before it expires
  StsRole role;
  StsPlace sts;
};

// `place` and `origin` are left to the caller. Errors: kUsage (the token file, the endpoint, the region), kDenied (STS
// refuses), kUnavailable. No text holds the token.
Result<AwsCredentials> assume_role_with_web_identity(const Environment& environment, const WebIdentity& identity);

}  // namespace drs
