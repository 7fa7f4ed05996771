#include "tools/cli/child_command.h"

#include <stdlib.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

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

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_shell(std::string_view word) {
  return std::ranges::find(kShells, base_name(word)) != kShells.end();
}

// A '|' outside quotes that is neither "||" nor ">|".
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

using Words = std::vector<std::string>;

// Where a shell and the script behind its `-c` stand among words.
struct ScriptPlace {
  std::size_t shell = 0;
  std::size_t script = 0;
};
std::optional<ScriptPlace> find_script(const Words& words) {
  const auto shell = std::ranges::find_if(words, is_shell);
  if (shell == words.end()) return std::nullopt;
  for (auto word = shell + 1; word != words.end(); ++word) {
    const bool takes_script = word->size() > 1 && word->front() == '-' && (*word)[1] != '-' && word->ends_with('c');
    if (!takes_script) continue;
    if (word + 1 == words.end()) return std::nullopt;
    return ScriptPlace{static_cast<std::size_t>(shell - words.begin()),
                       static_cast<std::size_t>(word + 1 - words.begin())};
  }
  return std::nullopt;
}

bool names_pipefail(std::string_view text) {
  return text.find("pipefail") != std::string_view::npos;
}

Words with_pipefail(Words words, ScriptPlace at) {
  if (std::ranges::any_of(words, names_pipefail)) return words;
  words[at.shell] = "bash";
  const auto behind = words.begin() + static_cast<std::ptrdiff_t>(at.shell) + 1;
  words.insert(behind, {"-o", "pipefail"});
  return words;
}

std::optional<Words> with_seen_pipe(const Words& words);

// Of `ssh [OPTIONS] HOST COMMAND...`. ssh joins the words of COMMAND with blanks, without quotes, and the remote login
// shell runs that line: of `ssh HOST bash -o pipefail -c 'a | b'` it runs the pipe itself.
std::optional<Words> with_seen_remote_pipe(const Words& words, std::size_t ssh) {
  constexpr std::string_view kWithValue = "BbcDEeFIiJLlmOoPpQRSWw";
  std::size_t at = ssh + 1;
  for (; at < words.size() && words[at].starts_with('-'); ++at)
    if (words[at].find_first_of(kWithValue, 1) == words[at].size() - 1) ++at;
  if (at + 1 >= words.size()) return std::nullopt;  // no command behind the host
  const auto begin = words.begin() + static_cast<std::ptrdiff_t>(at) + 1;
  const Words remote(begin, words.end());
  Words out(words.begin(), begin);
  std::string line;
  for (const std::string& word : remote) line += (line.empty() ? "" : " ") + word;
  if (has_pipe(line)) {
    const auto script = remote.size() > 1 ? find_script(remote) : std::nullopt;
    if (!script && names_pipefail(line)) return std::nullopt;
    out.push_back(script ? join_words(with_pipefail(remote, *script)) : "bash -o pipefail -c " + shell_word(line));
    return out;
  }
  const auto apart = split_words(line);
  const auto seen = apart.ok() ? with_seen_pipe(*apart) : std::nullopt;
  if (!seen) return std::nullopt;
  out.push_back(join_words(*seen));
  return out;
}

// The words with pipefail where a shell among them runs a pipe without; nullopt: there is none.
std::optional<Words> with_seen_pipe(const Words& words) {
  const auto script = find_script(words);
  const auto ssh = std::ranges::find_if(words, [](const std::string& word) { return base_name(word) == "ssh"; });
  const auto ssh_index = static_cast<std::size_t>(ssh - words.begin());
  if (ssh != words.end() && (!script || ssh_index < script->shell)) return with_seen_remote_pipe(words, ssh_index);
  if (!script || !has_pipe(words[script->script]) || std::ranges::any_of(words, names_pipefail)) return std::nullopt;
  return with_pipefail(words, *script);
}

}  // namespace

Arguments split_arguments(int argc, const char* const* argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    if (out.has_mark)
      out.child.emplace_back(argv[i]);
    else if (std::string_view(argv[i]) == "--")
      out.has_mark = true;
    else
      out.own.emplace_back(argv[i]);
  }
  return out;
}

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool has_next = i + 1 < text.size();
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else if (quote == '"' && c == '\\' && has_next && (text[i + 1] == '"' || text[i + 1] == '\\')) {
        word += text[++i];
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == '\\') {
      if (!has_next) return Error(ErrorCode::kUsage, "the command ends in a lone backslash");
      word += text[++i];
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return Error(ErrorCode::kUsage, std::string("the command has an open quote: ") + quote);
  if (in_word) words.push_back(std::move(word));
  if (words.empty()) return Error(ErrorCode::kUsage, "the command is empty");
  return words;
}

std::string shell_word(std::string_view word) {
  const bool plain = !word.empty() && word.find_first_of(" \t\r\n'\"\\$`*?[]{}()<>|&;#~!^") == std::string_view::npos;
  if (plain) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + '\'';
}

std::string join_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + shell_word(word);
  return out;
}

Result<void> check_child_command(const std::vector<std::string>& words) {
  if (words.size() != 1) return {};
  const std::string& word = words.front();
  const bool has_shell_signs = word.find_first_of(kShellSigns) != std::string::npos;
  if (!has_shell_signs && word.find_first_of(kBlanks) == std::string::npos) return {};
  if (is_program(word)) return {};
  const auto apart = split_words(word);
  if (!has_shell_signs && apart.ok())
    return Error(ErrorCode::kUsage,
                 fmt::format("'{}' is one word, and there is no program of that name; --exec runs a program with its "
                             "arguments, not a shell command line. Write it without the quotes: --exec -- {}",
                             word, join_words(*apart)));
  return Error(ErrorCode::kUsage,
               fmt::format("'{}' is a shell command line, and --exec runs a program with its arguments. Pass the line "
                           "to a shell: --exec -- bash -o pipefail -c {}  (without pipefail a pipe succeeds if its "
                           "last command does, and an incomplete dump counts as complete)",
                           word, join_words({word})));
}

std::optional<std::string> unseen_pipe_warning(const std::vector<std::string>& words) {
  const auto seen = with_seen_pipe(words);
  if (!seen) return std::nullopt;
  return fmt::format(
      "the command behind -- is a pipe in a shell without pipefail: its exit status is that of the last command, so "
      "that the snapshot is committed even if a command in front of it fails. Use: --exec -- {}",
      join_words(*seen));
}

}  // namespace drs
