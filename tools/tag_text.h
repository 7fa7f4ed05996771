// Tags as people write them: "key=value".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "io/result.h"

namespace drs {

// Keys of A-Z a-z 0-9 . _ -, values of printable UTF-8 up to 1000 bytes. A key given twice is refused. Errors: kUsage,
// saying what is accepted.
Result<std::map<std::string, std::string>> parse_tags(const std::vector<std::string>& texts);

// True when `tags` has all of `wanted`.
bool has_tags(const std::map<std::string, std::string>& tags, const std::map<std::string, std::string>& wanted);

std::string format_tags(const std::map<std::string, std::string>& tags);  // "a=1 b=2"

}  // namespace drs
