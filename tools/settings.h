// Settings: the options that may also come from the environment and from a configuration file. The command-line model
// is the one table of them (tools/option_builder.h, as_setting); this reads it.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drs {

struct Setting {
  std::string key;         // in a file: the option's first long name, "key-file"; of -r,--repo,--repository "repo"
  std::string variable;    // "DRSTREAM_KEY_FILE"
  std::string value_name;  // "FILE", "auto|uring|posix"; empty for a flag
  bool repeatable = false;
  bool in_file = true;                            // false: only on the command line and in the environment
  std::vector<CLI::Option*> options;              // one of each command that has it
  [[nodiscard]] bool given() const;               // on the command line, in the environment, or by what was set later
  [[nodiscard]] std::string option_name() const;  // "--repository"
};

// By key. Borrowed from `root`, which is the model or a part of it.
std::vector<Setting> settings_of(CLI::App& root);
// nullptr: there is no such key.
const Setting* find_setting(const std::vector<Setting>& settings, std::string_view key);

// "--key-file", "--passphrase-file" and "--passphrase-command" are three ways to give one key, and so are the three
// that begin with "--from-" and "--new-". What stands before those names: "", "from-", "new-"; nullopt for other keys.
std::optional<std::string_view> key_setting_prefix(std::string_view key);

}  // namespace drs
