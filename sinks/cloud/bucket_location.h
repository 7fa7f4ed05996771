// The place of a repository in a cloud store: a bucket, and a prefix of the names in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/base/result.h"

namespace drs {

// Leaves room for any object key (sinks/object_store.h): names in a bucket have at most 1024 bytes of UTF-8.
inline constexpr std::size_t kBucketPrefixBytesMax = 800;

struct BucketLocation {
  std::string bucket;
  std::string prefix;  // empty, or parts each followed by '/'
};

// How one kind of store names its buckets.
struct BucketNaming {
  std::string_view scheme;   // "s3://"
  std::string_view service;  // for messages: "S3"
  bool (*is_bucket)(std::string_view name);
  std::string_view rule;  // what is_bucket accepts, for messages
};

bool is_lower_or_digit(char c);
// Four numbers joined by dots, which no store accepts as the name of a bucket.
bool is_ipv4_form(std::string_view text);

// "scheme://bucket", "scheme://bucket/" or "scheme://bucket/some/prefix[/]". The text after the bucket is not decoded.
// Errors: kUsage, saying what is accepted.
Result<BucketLocation> parse_bucket_location(std::string_view url, const BucketNaming& naming);

// The key of the object with this name in the bucket; none for an object outside the prefix. A view into `full_key`.
std::optional<std::string_view> own_key(const BucketLocation& location, std::string_view full_key);
// "scheme://bucket/prefix", for messages.
std::string bucket_location_text(const BucketLocation& location, const BucketNaming& naming);

}  // namespace drs
