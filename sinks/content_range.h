// Content-Range: which part of an object an answer holds (RFC 9110, section 14.4). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "io/result.h"
#include "sinks/http_client.h"

namespace drs {

// "bytes 0-1023/4096"
struct ContentRange {
  std::uint64_t begin_bytes = 0;
  std::uint64_t object_bytes = 0;
};

// None where the header is missing, cannot be understood, or does not say how large the object is.
std::optional<ContentRange> content_range(const HttpTransfer& answer);

// How large the whole object is, by an answer that holds all of it: status 200, from a server, proxy or cache that
// ignores the header Range. None where it may be something else, such as a page: whoever keeps objects gives them an
// ETag and says how long they are.
std::optional<std::uint64_t> whole_object_bytes(const HttpTransfer& answer);

// How large the object is of which the answer holds a part, or all.
std::optional<std::uint64_t> object_bytes(const HttpTransfer& answer);

// Whether the answer holds the range that was asked for, whole, or as much of it as the object has; also where it was
// taken out of the whole object (HttpTransfer::part_begin_bytes). Errors: kUnavailable.
Result<void> check_range(const HttpTransfer& answer, std::uint64_t offset_bytes, std::size_t bytes);

}  // namespace drs
