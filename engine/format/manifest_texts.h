// Checks or truncates the texts of a manifest on input: a push must not fail at its commit because a text is too long
// (FORMAT.md "Manifest body").
#pragma once

#include <map>
#include <string>

#include "engine/format/manifest_bounds.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// The tag of a snapshot that missed a limit (--on-anomaly tag).
inline constexpr const char* kAnomalyTag = "anomaly";
// The part of kManifestTagsBytesMax reserved for it: a push sets it at its end.
inline constexpr std::size_t kAnomalyTagBytesMax = 8 * kKiB;

// The bytes of the tags that count against kManifestTagsBytesMax.
std::size_t tags_bytes(const std::map<std::string, std::string>& tags);

// Errors: kUsage, naming the limit.
Result<void> check_stream_name_bytes(const std::string& stream);
Result<void> check_tags_bytes(const std::map<std::string, std::string>& tags, std::size_t bytes_max);
Result<void> check_trailer_pattern_bytes(const std::string& pattern);

// Truncates `text` to `bytes_max` (at least 64), keeping its beginning or its end, and adds a mark with the original
// length. Returns a shorter text unchanged.
std::string keep_beginning(std::string text, std::size_t bytes_max);
std::string keep_end(std::string text, std::size_t bytes_max);

}  // namespace drs
