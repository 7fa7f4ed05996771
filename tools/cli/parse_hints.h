// Hints for a command line that CLI11 refuses.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/child_command.h"

namespace drs {

// A command of restic, borg or pgBackRest, and the counterpart in drstream, or that there is none.
struct ForeignCommand {
  std::string_view name;
  std::string_view advice;
};
std::span<const ForeignCommand> foreign_commands();

// "key add"; empty for the root.
std::string command_path(const CLI::App* app);
// The names on the way to it: "key", "add".
std::vector<std::string> command_words(const CLI::App* app);
// The visible commands of `app`: "add, list, remove".
std::string command_names(const CLI::App& app);
// "there is no command 'pus'; did you mean 'push'?": `word` stands where a command of `app` was expected.
std::string unknown_command_text(const CLI::App& app, const std::string& word);
// Joins `text` and an advice: "...; see `drstream help`", or, after a question, "...? See `drstream help`".
std::string with_advice(std::string text, std::string advice);
// What CLI11 found wrong, in our own words where CLI11 does not say what is accepted. `app` is the deepest command that
// the arguments reached.
std::string parse_error_text(const CLI::Error& error, const CLI::App& app, const Arguments& arguments);

}  // namespace drs
