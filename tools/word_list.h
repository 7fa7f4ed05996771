// A command written as one text, such as the value of --passphrase-command, cut into words without a shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/result.h"

namespace drs {

// Blanks separate words; 'single' and "double" quotes keep them together, a backslash takes the next character as it is
// (inside double quotes only \" and \\). Nothing is expanded: no variables, globs, pipes or redirections; who wants
// those writes sh -c '...'. Errors: kUsage (an open quote, a lone backslash at the end, no word at all).
Result<std::vector<std::string>> split_words(std::string_view text);

// The words as a shell would need them typed, for messages.
std::string join_words(const std::vector<std::string>& words);

}  // namespace drs
