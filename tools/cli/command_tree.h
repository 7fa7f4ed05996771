// The command-line model extracted from CLI11. The manual and the shell completions are generated from it, so that
// neither can differ from the parser.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace drs {

enum class ValueKind { kNone, kText, kChoice, kFile, kDirectory, kStream, kSnapshot, kCommand };

struct OptionEntry {
  std::vector<std::string> names;  // "-o", "--output"
  std::string value_name;          // "FILE"; empty for a flag
  ValueKind value = ValueKind::kNone;
  std::vector<std::string> choices;
  bool value_is_optional = false;
  bool repeatable = false;
  std::string description;
  std::string variable;  // "DRSTREAM_OUTPUT"
  std::string group;
  [[nodiscard]] bool takes_value() const { return value != ValueKind::kNone && !value_is_optional; }
};

struct PositionalEntry {
  std::string name;
  std::string description;
  bool required = false;
  bool repeatable = false;
  ValueKind value = ValueKind::kText;
};

struct CommandEntry {
  std::vector<std::string> path;  // "key", "add"; empty for drstream itself
  std::string description;
  std::string examples;              // lines, as in the help
  std::vector<OptionEntry> options;  // of this command alone
  std::vector<PositionalEntry> positionals;
  std::vector<CommandEntry> children;
  [[nodiscard]] bool takes_child_command() const;                // "--exec -- CMD..."
  [[nodiscard]] std::vector<std::string> option_groups() const;  // each once, in the order of the options
  [[nodiscard]] std::string invocation() const;                  // "drstream key add"
  [[nodiscard]] std::string name() const { return path.empty() ? "drstream" : path.back(); }
};

// Commands of the group "" (hidden) are left out.
CommandEntry command_tree(const CLI::App& root);

// The names of the options with a value that every command has: they say which repository is meant, and its key.
std::vector<std::string> repository_options(const CommandEntry& root);

// The command of a path below `root`; nullptr where there is none.
const CommandEntry* find_command(const CommandEntry& root, const std::vector<std::string>& path);

}  // namespace drs
