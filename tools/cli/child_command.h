// Commands that drstream runs, as words: those behind "--", and those that an option such as --passphrase-command gives
// as one text. Neither passes through a shell.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/result.h"

namespace drs {

// The command line in its two parts: ours, and the child's command, which CLI11 never sees.
struct Arguments {
  std::vector<std::string> own;    // without argv[0]
  std::vector<std::string> child;  // behind the first "--"
  bool has_mark = false;           // "--" was there
};
Arguments split_arguments(int argc, const char* const* argv);

// Blanks separate words; 'single' and "double" quotes keep them together, a backslash takes the next character as it is
// (inside double quotes only \" and \\). Nothing is expanded: no variables, globs, pipes or redirections: those need sh
// -c '...'. Errors: kUsage (an open quote, a lone backslash at the end, no word at all).
Result<std::vector<std::string>> split_words(std::string_view text);

// A word of a command that a message suggests, as a shell needs it typed: in single quotes where it holds a character
// that a shell interprets.
std::string shell_word(std::string_view word);
// Several such words, separated by blanks.
std::string join_words(const std::vector<std::string>& words);

// Refuses a single word that a shell would split ("pg_dump app | gzip") and that is not a program. Errors: kUsage,
// saying how to run it.
Result<void> check_child_command(const std::vector<std::string>& words);

// The warning for a shell that runs a pipe, here, behind a wrapper (`docker exec db sh -c`) or behind ssh: it returns
// the exit status of the last command, so that a failing producer before it is not noticed. It names the same command
// with pipefail. Empty if there is no such pipe, or pipefail is set.
std::optional<std::string> unseen_pipe_warning(const std::vector<std::string>& words);

}  // namespace drs
