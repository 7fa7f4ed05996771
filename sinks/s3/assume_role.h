// Credentials for a role against other credentials: AssumeRole of AWS STS, with which an account lends another, or a
// user itself, the rights of a role for some hours.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "io/result.h"
#include "sinks/s3/aws_credentials.h"
#include "sinks/s3/sts.h"
#include "sinks/surroundings.h"

namespace drs {

inline constexpr std::chrono::seconds kRoleDurationMin{900};  // STS's own limits
inline constexpr std::chrono::seconds kRoleDurationMax{43'200};

struct RoleToAssume {
  StsRole role;
  std::string external_id;                       // empty: none
  std::optional<std::chrono::seconds> duration;  // none: as STS has it, an hour
  StsPlace sts;
};

// `source` signs. `place` and `origin` are left to the caller. Errors: those of ask_sts.
Result<AwsCredentials> assume_role(const Surroundings& surroundings, const RoleToAssume& role,
                                   const AwsCredentials& source);

}  // namespace drs
