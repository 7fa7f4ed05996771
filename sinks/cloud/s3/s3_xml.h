// Parses the XML answers of S3, and makes the one request with an XML body. Pure functions of bytes.
//
// An answer that cannot be parsed is kUnavailable: it says nothing about what is stored, and the same request may be
// repeated.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

struct S3ListedObject {
  std::string key;  // decoded, with the prefix
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970; 0 if unknown
  std::string storage_class;     // empty if the answer does not name one
};

struct S3ListPage {
  std::vector<S3ListedObject> objects;
  bool truncated = false;
  std::string continuation_token;  // of the next page, if truncated
};

// Parses an answer to ListObjectsV2, asked with encoding-type=url or without. Errors: kUnavailable, also for a list
// that does not say whether it is complete, or is incomplete without a continuation token.
Result<S3ListPage> parse_list_objects(ByteView xml);

// An error of S3 or STS. Every text is fit for a message (foreign_text.h).
struct S3ErrorBody {
  std::string code;  // "NoSuchKey"; never empty
  std::string message;
  std::string resource;
  std::string request_id;
  std::string region;    // of the bucket, if the request went to another region; a valid name, or empty
  std::string endpoint;  // of a PermanentRedirect
};

// Errors: kUnavailable for a body that is not an error, such as the empty one of HEAD or the page of a proxy.
Result<S3ErrorBody> parse_s3_error(ByteView xml);

// Whether the bucket keeps versions. Errors: kUnavailable.
Result<bool> parse_versioning(ByteView xml);

struct S3ObjectLockState {
  bool enabled = false;
  std::string default_period;  // "GOVERNANCE 30 days"; empty: an object put without a date is not locked
};
Result<S3ObjectLockState> parse_object_lock(ByteView xml);

inline constexpr std::size_t kS3DeleteKeysMax = 1000;  // in one request; a limit of S3

// The body of a DeleteObjects request for 1 to kS3DeleteKeysMax keys (asserted), with their prefix. The answer names
// each of them.
std::string delete_objects_body(std::span<const std::string> keys);

struct S3DeleteFailure {
  std::string key;  // with the prefix
  std::string code;
  std::string message;
};

struct S3DeleteResult {
  std::vector<std::string> deleted;  // also keys that did not exist
  std::vector<S3DeleteFailure> failed;
};

Result<S3DeleteResult> parse_delete_result(ByteView xml);

}  // namespace drs
