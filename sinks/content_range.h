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

// Whether the answer holds the range that was asked for, whole, or as much of it as the object has. Errors:
// kUnavailable.
Result<void> check_range(const HttpTransfer& answer, std::uint64_t offset_bytes, std::size_t bytes);

}  // namespace drs
