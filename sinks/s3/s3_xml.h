// The XML that S3 answers with, and the one request that has a body of XML. Pure functions of bytes.
//
// An answer that cannot be understood is kUnavailable: it says nothing about what is stored, and the same request may
// be made again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

struct S3ListedObject {
  std::string key;  // decoded; with the prefix
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970; 0 where the store does not say
};

struct S3ListPage {
  std::vector<S3ListedObject> objects;
  bool truncated = false;
  std::string continuation_token;  // of the next page, where truncated
};

// Of ListObjectsV2, asked with encoding-type=url or without. Errors: kUnavailable, also for a list that does not say
// whether it is all, or that goes on without saying where.
Result<S3ListPage> parse_list_objects(ByteView xml);

// What S3 or STS says about a request that failed. Every text is fit for a message (foreign_text.h).
struct S3ErrorBody {
  std::string code;  // "NoSuchKey"; never empty
  std::string message;
  std::string resource;
  std::string request_id;
  std::string region;    // the bucket's, where the request went to a wrong one; a valid name, or empty
  std::string endpoint;  // of a PermanentRedirect
};

// Errors: kUnavailable for a body that is no error, such as the empty one of HEAD or a proxy's page.
Result<S3ErrorBody> parse_s3_error(ByteView xml);

// Whether versions are kept. Errors: kUnavailable.
Result<bool> parse_versioning(ByteView xml);

struct S3ObjectLockState {
  bool enabled = false;
  std::string default_period;  // "GOVERNANCE 30 days"; empty: what is put without a date of its own is not locked
};
Result<S3ObjectLockState> parse_object_lock(ByteView xml);

inline constexpr std::size_t kS3DeleteKeysMax = 1000;  // in one request: S3's own limit

// The body of DeleteObjects for 1 to kS3DeleteKeysMax keys (asserted), with their prefix. The answer names each of
// them.
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
