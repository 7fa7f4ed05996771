// Tags as people write them: "key=value", and to select by them "key" alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/result.h"

namespace drs {

// Keys of A-Z a-z 0-9 . _ -, values of printable UTF-8 up to 1000 bytes. A key given twice is refused. Errors: kUsage,
// saying what is accepted.
Result<std::map<std::string, std::string>> parse_tags(const std::vector<std::string>& texts);

// What selects by tags: "key=value", or "key" for any value of it. Errors: kUsage, saying what is accepted.
using TagFilter = std::map<std::string, std::optional<std::string>>;
Result<TagFilter> parse_tag_filter(const std::vector<std::string>& texts);

// True when `tags` has all of `wanted`.
bool has_tags(const std::map<std::string, std::string>& tags, const TagFilter& wanted);

std::string format_tags(const std::map<std::string, std::string>& tags);  // "a=1 b=2"

}  // namespace drs
