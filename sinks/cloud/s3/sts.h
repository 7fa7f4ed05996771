// The Security Token Service of AWS, which returns temporary credentials for a role.
// https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
#pragma once

#include <string>
#include <string_view>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/transport/environment.h"

namespace drs {

struct StsPlace {
  std::string endpoint;  // empty: https://sts.<region>.amazonaws.com
  std::string region;    // for the default endpoint and the signature
};

// The beginning of every request: "Action=<action>&Version=..." and the role. `session_name` empty: "drstream-" and the
// time.
struct StsRole {
  std::string role_arn;
  std::string session_name;
};
std::string sts_form(std::string_view action, const StsRole& role, std::int64_t now_ns);

// Asks for credentials with a form that `sts_form` began, signed by `signer` unless that is null. The caller sets
// `place` and `origin` of the result. Errors: kUsage (the endpoint, the region), kDenied (STS refuses), kUnavailable.
// No text holds a value of the form.
struct StsQuestion {
  std::string_view action;  // "AssumeRole"
  SecretBytes form;
  const AwsCredentials* signer = nullptr;
};
Result<AwsCredentials> ask_sts(const Environment& environment, const StsPlace& place, StsQuestion question);

}  // namespace drs
