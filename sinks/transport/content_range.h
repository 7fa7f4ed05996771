// Content-Range: the part of an object that an answer holds (RFC 9110, section 14.4). Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "io/base/result.h"
#include "sinks/transport/http_client.h"

namespace drs {

// "bytes 0-1023/4096"
struct ContentRange {
  std::uint64_t begin_bytes = 0;
  std::uint64_t object_bytes = 0;
};

// None if the header is missing, malformed, or does not give the size of the object.
std::optional<ContentRange> content_range(const HttpTransfer& answer);

// The size of the object, from an answer that holds all of it: status 200, from a server, proxy or cache that ignores
// the header Range. None if the answer may be something else, such as a page: an object store sends an ETag and a
// Content-Length.
std::optional<std::uint64_t> whole_object_bytes(const HttpTransfer& answer);

// The size of the object of which the answer holds a part, or all.
std::optional<std::uint64_t> object_bytes(const HttpTransfer& answer);

// Checks that the answer holds the whole range that was asked for, or as much of it as the object has, also if the part
// was taken out of the whole object (HttpTransfer::part_begin_bytes). Errors: kUnavailable.
Result<void> check_range(const HttpTransfer& answer, std::uint64_t offset_bytes, std::size_t bytes);

}  // namespace drs
