// What S3 shall do with the objects that we store, beyond keeping them: each becomes headers of a PUT.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/result.h"
#include "sinks/http_message.h"

namespace drs {

// Object Lock: until its day no version of an object can be deleted or changed, and nobody can shorten the time - but
// whoever has s3:BypassGovernanceRetention (kGovernance), or not even the owner of the account (kCompliance).
struct S3Lock {
  enum class Mode : std::uint8_t { kGovernance, kCompliance };
  Mode mode = Mode::kGovernance;
  std::chrono::days days{0};
  // What is reused is extended when less than `days` are left, to `days` and this: a backup each night then asks how
  // long its packs are locked, and pays for an extension only now and then. At least a day (ObjectStore::retain).
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

// Errors: kUsage, saying what is accepted: more than 10 tags, keys beyond 128 or values beyond 256 bytes or with
// characters that S3 refuses; a KMS key without aws:kms; a class that nothing can be read from at once.
Result<void> validate(const S3PutOptions& options);

[[nodiscard]] bool is_locked(const S3PutOptions& options, std::string_view key);

// The headers of a PUT of `key` at `now_ns`.
std::vector<HttpHeader> put_headers(const S3PutOptions& options, std::string_view key, std::int64_t now_ns);

// "GOVERNANCE"
std::string_view lock_mode_name(S3Lock::Mode mode);
// The body of PutObjectRetention.
std::string retention_body(S3Lock::Mode mode, std::int64_t until_ns);

}  // namespace drs
