#include "sinks/cloud/s3/s3_put_options.h"

#include <algorithm>
#include <array>

#include "sinks/transport/iso_time.h"
#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::size_t kTagsMax = 10;  // S3's own limits
constexpr std::size_t kTagKeyBytesMax = 128;
constexpr std::size_t kTagValueBytesMax = 256;

// A GET of an object in these classes fails until the object was restored, which takes minutes to days.
constexpr std::array<std::string_view, 2> kOfflineClasses = {"GLACIER", "DEEP_ARCHIVE"};

bool is_tag_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view(" +-=._:/@").find(c) != std::string_view::npos;
}

bool starts_with_one_of(std::string_view key, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return key.starts_with(prefix); });
}

}  // namespace

Result<void> validate(const S3PutOptions& options) {
  if (options.tags.size() > kTagsMax) return Error(ErrorCode::kUsage, "S3 takes at most 10 tags for an object");
  for (const auto& [key, value] : options.tags) {
    const bool good = !key.empty() && key.size() <= kTagKeyBytesMax && value.size() <= kTagValueBytesMax &&
                      std::all_of(key.begin(), key.end(), is_tag_character) &&
                      std::all_of(value.begin(), value.end(), is_tag_character);
    if (!good)
      return Error(ErrorCode::kUsage,
                   "S3 refuses the tag '" + key + "=" + value +
                       "': keys have 1 to 128 characters, values up to 256, of A-Z a-z 0-9 space and + - = . _ : / @");
  }
  if (!options.kms_key_id.empty() && !options.encryption.starts_with("aws:kms"))
    return Error(ErrorCode::kUsage, "a KMS key has no effect without aws:kms: give --sse aws:kms too");
  if (std::find(kOfflineClasses.begin(), kOfflineClasses.end(), options.storage_class) != kOfflineClasses.end())
    return Error(ErrorCode::kUsage,
                 "objects in storage class " + options.storage_class +
                     " cannot be read until they are restored, so no push, check or restore would work: use "
                     "GLACIER_IR, STANDARD_IA, ONEZONE_IA or INTELLIGENT_TIERING");
  return {};
}

bool is_locked(const S3PutOptions& options, std::string_view key) {
  return options.lock && starts_with_one_of(key, options.lock_prefixes);
}

std::vector<HttpHeader> put_headers(const S3PutOptions& options, std::string_view key, std::int64_t now_ns) {
  std::vector<HttpHeader> headers;
  if (is_locked(options, key)) {
    const std::chrono::nanoseconds period = options.lock->days + options.lock->slack();
    headers.push_back({"x-amz-object-lock-mode", std::string(lock_mode_name(options.lock->mode))});
    headers.push_back({"x-amz-object-lock-retain-until-date", format_iso_time(now_ns + period.count())});
  }
  if (!options.storage_class.empty() && starts_with_one_of(key, options.storage_class_prefixes))
    headers.push_back({"x-amz-storage-class", options.storage_class});
  if (!options.tags.empty()) {
    std::string text;
    for (const auto& [name, value] : options.tags)
      text += (text.empty() ? "" : "&") + uri_encode(name) + "=" + uri_encode(value);
    headers.push_back({"x-amz-tagging", text});
  }
  if (!options.encryption.empty()) headers.push_back({"x-amz-server-side-encryption", options.encryption});
  if (!options.kms_key_id.empty())
    headers.push_back({"x-amz-server-side-encryption-aws-kms-key-id", options.kms_key_id});
  return headers;
}

std::string_view lock_mode_name(S3Lock::Mode mode) {
  return mode == S3Lock::Mode::kCompliance ? "COMPLIANCE" : "GOVERNANCE";
}

std::string retention_body(S3Lock::Mode mode, std::int64_t until_ns) {
  return "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>" + std::string(lock_mode_name(mode)) +
         "</Mode><RetainUntilDate>" + format_iso_time(until_ns) + "</RetainUntilDate></Retention>";
}

}  // namespace drs
