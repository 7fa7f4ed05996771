// A key that was given where a name belongs must not reach a terminal or a log.
#pragma once

#include <string>
#include <string_view>

namespace drs {

// `text` with each run of at least 64 hex digits, which is what a key looks like, replaced by words that say so. The
// names of objects, which are digests, stay.
std::string hide_key_digits(std::string_view text);

// Whether `text` holds such a run.
bool has_key_digits(std::string_view text);

}  // namespace drs
