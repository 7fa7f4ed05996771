// Credentials for a role against other credentials: AssumeRole of AWS STS, with which an account lends another, or a
// user itself, the rights of a role for some hours.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "io/base/result.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/cloud/s3/sts.h"
#include "sinks/transport/environment.h"

namespace drs {

inline constexpr std::chrono::seconds kRoleDurationMin{900};  // STS's own limits
inline constexpr std::chrono::seconds kRoleDurationMax{43'200};

struct RoleToAssume {
  StsRole role;
  std::string external_id;                       // empty: none
  std::optional<std::chrono::seconds> duration;  // none: the default of STS, an hour
  StsPlace sts;
};

// `source` signs the request. The caller sets `place` and `origin` of the result. Errors: those of ask_sts.
Result<AwsCredentials> assume_role(const Environment& environment, const RoleToAssume& role,
                                   const AwsCredentials& source);

}  // namespace drs
