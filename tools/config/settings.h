// Settings: the options that may also come from the environment and from a configuration file. The command-line model
// is the one table of them (tools/cli/option_builder.h, as_setting); this file reads it, and sets options from the
// entries of a file.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/result.h"
#include "tools/config/config_file.h"

namespace drs {

struct Setting {
  std::string key;         // in a file: the option's first long name, "key-file"; of -r,--repo,--repository "repo"
  std::string variable;    // "DRSTREAM_KEY_FILE"
  std::string value_name;  // "FILE", "auto|uring|posix"; empty for a flag
  bool repeatable = false;
  bool in_file = true;                            // false: only on the command line and in the environment
  std::vector<CLI::Option*> options;              // one of each command that has it
  [[nodiscard]] bool given() const;               // on the command line, in the environment, or by give_value
  [[nodiscard]] std::string option_name() const;  // "--repository"
};

// Whether the value names a repository, so that it may be an @NAME.
inline bool names_place(const Setting& setting) {
  return setting.value_name == "PLACE";
}

// By key. Borrowed from `root`, which is the model or a part of it.
std::vector<Setting> settings_of(CLI::App& root);
// nullptr: there is no such key.
const Setting* find_setting(const std::vector<Setting>& settings, std::string_view key);

// "--key-file", "--passphrase-file" and "--passphrase-command" are three ways to give one key, and so are the three
// that begin with "--from-" (with "--from-unencrypted" as a fourth) and "--new-". What stands before those names: "",
// "from-", "new-"; nullopt for other keys.
std::optional<std::string_view> key_setting_prefix(std::string_view key);

// An option takes precedence over the environment: where `arguments` give a key, wipes and unsets the DRSTREAM_
// variables of the other ways to give it. Call it before the arguments are parsed, which reads the variables, and
// before other threads read the environment.
void unset_overridden_key_variables(std::span<const std::string> arguments);

// kUsage, with file and line in front.
Error config_error(const std::string& origin, const std::string& text);

// Sets the options of `setting` as if they had been given. Errors: kUsage (a wrong type; a relative path, which would
// depend on the working directory; the errors of the option's parser).
Result<void> give_value(const Setting& setting, const ConfigEntry& entry);

// Refuses a key or passphrase itself as a value, under any name, without showing it. Errors: kUsage.
Result<void> refuse_secret(const ConfigEntry& entry);

// Refuses two ways to give one key. Errors: kUsage.
Result<void> refuse_two_keys(const std::vector<ConfigEntry>& entries);

// One for each variable of the environment that begins with DRSTREAM_ and belongs to no option of `root`: without it
// the operator would believe that the variable is in force. `settings`: those of `root`. The names that the project's
// own tests use are excepted.
std::vector<std::string> unknown_variable_warnings(const CLI::App& root, std::span<const Setting> settings);

// "; did you mean 'key-file'?"; empty where none of `known` is near.
std::string did_you_mean(const std::string& key, const std::vector<std::string>& known);

}  // namespace drs
