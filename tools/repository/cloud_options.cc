#include "tools/repository/cloud_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/format/object_rules.h"
#include "tools/repository/selector_text.h"

namespace drs {

CloudStoreOptions cloud_store_options(const CloudOptions& options, const StoreEnvironment& opened_by) {
  CloudStoreOptions out;
  out.http.ca_file = options.ca_file;
  out.http.upload_limit = options.upload_limit;
  out.http.download_limit = options.download_limit;
  // A stalled transfer is noticed early enough for two more attempts within the time that an outage may last.
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(options.store_timeout);
  const auto third = std::max(timeout / 3, std::chrono::milliseconds(1000));
  out.http.connect_timeout = std::min(third, out.http.connect_timeout);
  out.http.quiet.stall = std::min(third, out.http.quiet.stall);
  out.http.quiet.answer = options.answer_timeout ? std::chrono::ceil<std::chrono::milliseconds>(*options.answer_timeout)
                                                 : std::min(third, out.http.quiet.answer);
  out.requests.retry.budget = std::chrono::ceil<std::chrono::milliseconds>(options.store_timeout);
  out.requests.cancel = opened_by.cancel;
  out.http.cancel = opened_by.cancel;
  out.report = opened_by.report;
  out.single_writer = options.single_writer;
  return out;
}

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
  return Error(ErrorCode::kUsage, fmt::format("{} needs a repository in S3; {} cannot do that", name, place));
}

}  // namespace drs
