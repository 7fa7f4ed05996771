#include "tools/child_command_check.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "tools/word_list.h"

namespace drs {
namespace {

constexpr std::string_view kBlanks = " \t\n";
constexpr std::string_view kShellSigns = "|<>;&$`*?()";
constexpr std::array<std::string_view, 6> kShells = {"sh", "bash", "dash", "ash", "ksh", "zsh"};

bool is_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), F_OK) == 0;
  const char* const path = ::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    if (::access((std::string(folder) + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

bool is_shell(std::string_view word) {
  return std::ranges::find(kShells, word.substr(word.rfind('/') + 1)) != kShells.end();
}

// A '|' outside quotes that is no "||" and no ">|".
bool has_pipe(std::string_view script) {
  char quote = 0;
  char previous = 0;
  for (std::size_t i = 0; i < script.size(); ++i) {
    const char c = script[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '|') {
      const bool is_or = i + 1 < script.size() && script[i + 1] == '|';
      if (!is_or && previous != '>') return true;
      if (is_or) ++i;
    }
    previous = c;
  }
  return false;
}

// The script behind the `-c` of a shell; nullptr where there is none.
const std::string* script_of(const std::vector<std::string>& words) {
  auto word = std::ranges::find_if(words, is_shell);
  if (word == words.end()) return nullptr;
  for (++word; word != words.end(); ++word) {
    const bool takes_script = word->size() > 1 && word->front() == '-' && (*word)[1] != '-' && word->ends_with('c');
    if (takes_script) return word + 1 == words.end() ? nullptr : &*(word + 1);
  }
  return nullptr;
}

}  // namespace

Result<void> check_child_command(const std::vector<std::string>& words) {
  if (words.size() != 1) return {};
  const std::string& word = words.front();
  const bool has_shell_signs = word.find_first_of(kShellSigns) != std::string::npos;
  if (!has_shell_signs && word.find_first_of(kBlanks) == std::string::npos) return {};
  if (is_program(word)) return {};
  const auto apart = split_words(word);
  if (!has_shell_signs && apart.ok())
    return Error{ErrorCode::kUsage,
                 fmt::format("'{}' is one word and no program of that name is there; --exec runs a program with its "
                             "arguments, not a line of a shell. Write it without the quotes: --exec -- {}",
                             word, join_words(*apart))};
  return Error{
      ErrorCode::kUsage,
      fmt::format("'{}' is a line of a shell, and --exec runs a program with its arguments. Give the line to a "
                  "shell: --exec -- bash -o pipefail -c {}  (without pipefail a pipe succeeds when its last "
                  "command does, and a dump that failed in front of it passes for a whole one)",
                  word, join_words({word}))};
}

std::optional<std::string> unseen_pipe_warning(const std::vector<std::string>& words) {
  const std::string* const script = script_of(words);
  const auto sets_pipefail = [](const std::string& word) { return word.find("pipefail") != std::string::npos; };
  if (script == nullptr || !has_pipe(*script) || std::ranges::any_of(words, sets_pipefail)) return std::nullopt;
  return fmt::format(
      "the command behind -- is a pipe in a shell without pipefail: its exit status is that of the last command, so "
      "that the snapshot is committed even if a command in front of it fails. Use: --exec -- bash -o pipefail -c {}",
      join_words({*script}));
}

}  // namespace drs
