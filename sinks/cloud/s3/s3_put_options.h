// Options for the objects that drstream stores in S3: each becomes headers of a PUT.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/result.h"
#include "sinks/transport/http_message.h"

namespace drs {

// Object Lock: until its date, no version of an object can be removed or changed, and the date cannot be moved forward.
// With kGovernance, credentials with s3:BypassGovernanceRetention can do both; with kCompliance, not even the owner of
// the account.
struct S3Lock {
  enum class Mode : std::uint8_t { kGovernance, kCompliance };
  Mode mode = Mode::kGovernance;
  std::chrono::days days{0};
  // Extends the lock of a reused object to `days` plus this when less than `days` are left: a nightly backup then reads
  // the locks of its packs, and rarely pays for an extension. At least a day (ObjectStore::secure).
  [[nodiscard]] std::chrono::days slack() const { return std::max(std::chrono::days(1), days / 8); }
};

struct S3PutOptions {
  std::optional<S3Lock> lock;
  std::string storage_class;  // empty: the bucket's
  std::map<std::string, std::string> tags;
  std::string encryption;  // "AES256", "aws:kms"; empty: the bucket's
  std::string kms_key_id;  // with "aws:kms"; empty: the account's own key
  // Which objects: by the first part of their keys, with its '/'.
  std::vector<std::string> storage_class_prefixes;
  std::vector<std::string> lock_prefixes;
};

// Checks the options. Errors: kUsage, saying what is accepted, for more than 10 tags, a tag whose key is longer than
// 128 or whose value is longer than 256 bytes, characters that S3 refuses, a KMS key without aws:kms, and a storage
// class whose objects cannot be read at once.
Result<void> validate(const S3PutOptions& options);

[[nodiscard]] bool is_locked(const S3PutOptions& options, std::string_view key);

// The headers of a PUT of `key` at `now_ns`.
std::vector<HttpHeader> put_headers(const S3PutOptions& options, std::string_view key, std::int64_t now_ns);

// "GOVERNANCE"
std::string_view lock_mode_name(S3Lock::Mode mode);
// The body of a PutObjectRetention request.
std::string retention_body(S3Lock::Mode mode, std::int64_t until_ns);

}  // namespace drs
