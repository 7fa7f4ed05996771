// AWS's Security Token Service, which gives temporary credentials of a role.
// https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
#pragma once

#include <string>
#include <string_view>

#include "io/bytes.h"
#include "io/result.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/surroundings.h"

namespace drs {

struct StsPlace {
  std::string endpoint;  // empty: https://sts.<region>.amazonaws.com
  std::string region;    // for that, and for signatures
};

// "Action=<action>&Version=..." and the role: what every request begins with. `session_name` empty: "drstream-" and the
// time.
struct StsRole {
  std::string role_arn;
  std::string session_name;
};
std::string sts_form(std::string_view action, const StsRole& role, std::int64_t now_ns);

// Asks for credentials with a form that `sts_form` began, signed by `signer` unless that is null. `place` and `origin`
// of what is given are left to the caller. Errors: kUsage (the endpoint, the region), kDenied (STS refuses),
// kUnavailable. No text holds what is in the form.
struct StsQuestion {
  std::string_view action;  // "AssumeRole"
  SecretBytes form;
  const AwsCredentials* signer = nullptr;
};
Result<AwsCredentials> ask_sts(const Surroundings& surroundings, const StsPlace& place, StsQuestion question);

}  // namespace drs
