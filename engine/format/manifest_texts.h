// Texts that a manifest records, checked or cut to their bounds where they enter: a push must not find out at its
// commit that it cannot be written down (FORMAT.md "Manifest body").
#pragma once

#include <map>
#include <string>

#include "engine/format/manifest_bounds.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// Of kManifestTagsBytesMax so much is left for the tag "anomaly", which a push sets at its end.
inline constexpr std::size_t kAnomalyTagBytesMax = 8 * kKiB;

// The bytes that tags take of kManifestTagsBytesMax.
std::size_t tags_bytes(const std::map<std::string, std::string>& tags);

// Errors: kUsage, saying what is accepted.
Result<void> check_stream_name_bytes(const std::string& stream);
Result<void> check_tags_bytes(const std::map<std::string, std::string>& tags, std::size_t bytes_max);
Result<void> check_trailer_pattern_bytes(const std::string& pattern);

// `text`, or as much of its beginning or of its end as fits `bytes_max` (at least 64) with a mark that says how long it
// was.
std::string keep_beginning(std::string text, std::size_t bytes_max);
std::string keep_end(std::string text, std::size_t bytes_max);

}  // namespace drs
