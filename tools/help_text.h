// The help of drstream, of its commands and of its topics: text for a terminal of 80 columns, made of the command
// model.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/result.h"
#include "tools/command_tree.h"

namespace drs {

struct CommandGroup {
  std::string_view title;
  std::vector<std::string_view> commands;
};
// Every visible command once, in the order of the overview.
std::span<const CommandGroup> command_groups();

// `drstream --help`: at most 24 lines.
std::string overview_text(const CommandEntry& root);
// `drstream push --help`.
std::string command_help(const CommandEntry& root, const CommandEntry& command);
// What `drstream help WORD...` answers: the overview, a command, or a topic. Empty where the words name neither.
std::string help_of(const CommandEntry& root, const std::vector<std::string>& words);

}  // namespace drs
