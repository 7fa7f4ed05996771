#include "sinks/cloud/s3/assume_role.h"

#include <utility>

#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::string_view kAction = "AssumeRole";

}  // namespace

Result<AwsCredentials> assume_role(const Environment& environment, const RoleToAssume& role,
                                   const AwsCredentials& source) {
  std::string form = sts_form(kAction, role.role, environment.clock.wall_ns());
  if (!role.external_id.empty()) form += "&ExternalId=" + uri_encode(role.external_id);
  if (role.duration) form += "&DurationSeconds=" + std::to_string(role.duration->count());
  return ask_sts(environment, role.sts,
                 {.action = kAction, .form = SecretBytes::copy_of(as_bytes(form)), .signer = &source});
}

}  // namespace drs
