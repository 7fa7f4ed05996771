#include "tools/object_options.h"

#include <fmt/format.h>

#include "engine/format/object_rules.h"
#include "tools/tag_text.h"

namespace drs {

Result<S3PutOptions> s3_put_options(const CloudOptions& options) {
  S3PutOptions out;
  if (options.lock_days) {
    const auto mode =
        options.lock_mode == LockMode::kCompliance ? S3Lock::Mode::kCompliance : S3Lock::Mode::kGovernance;
    out.lock = S3Lock{mode, std::chrono::days(*options.lock_days)};
  }
  out.lock_prefixes = object_prefixes([](const ObjectRule& rule) { return rule.locked; });
  out.storage_class = options.storage_class;
  out.storage_class_prefixes = {std::string(object_rule(ObjectKind::kPack).prefix)};
  DRS_ASSIGN_OR_RETURN(out.tags, parse_tags(options.object_tags));
  switch (options.server_encryption) {
    case ServerEncryption::kBucketDefault: break;
    case ServerEncryption::kAes256: out.encryption = "AES256"; break;
    case ServerEncryption::kAwsKms: out.encryption = "aws:kms"; break;
  }
  out.kms_key_id = options.kms_key_id;
  DRS_RETURN_IF_ERROR(validate(out));
  return out;
}

Result<void> refuse_object_options(const CloudOptions& options, const std::string& place) {
  std::string_view name;
  if (options.lock_days)
    name = "--lock-days";
  else if (!options.storage_class.empty())
    name = "--storage-class";
  else if (!options.object_tags.empty())
    name = "--object-tag";
  else if (options.server_encryption != ServerEncryption::kBucketDefault)
    name = "--sse";
  else if (!options.kms_key_id.empty())
    name = "--sse-kms-key-id";
  if (name.empty()) return {};
  return Error{ErrorCode::kUsage, fmt::format("{} needs a repository in S3; {} cannot do that", name, place)};
}

}  // namespace drs
