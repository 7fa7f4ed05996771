// The help of drstream, of its commands and of its topics: text for a terminal of 80 columns, made of the command
// model.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/result.h"
#include "tools/cli/command_tree.h"

namespace drs {

struct TextLines {
  std::size_t columns = 80;  // a word that is longer stands in a line of its own
  std::size_t indent = 0;    // blanks before every line but the first
  std::size_t used = 0;      // columns of the first line that are already used
};

// The words of `text` in lines, each with a line feed.
std::string wrapped_text(std::string_view text, const TextLines& lines);

struct CommandGroup {
  std::string_view title;
  std::vector<std::string_view> commands;
};
// Every visible command once, in the order of the overview.
std::span<const CommandGroup> command_groups();
// The commands of `group` that `root` has, in the group's order. Borrowed from `root`.
std::vector<const CommandEntry*> commands_of(const CommandEntry& root, const CommandGroup& group);

// "drstream push STREAM [options] [--exec -- CMD...]"
std::string synopsis_of(const CommandEntry& command);
// `drstream --help`: at most 24 lines.
std::string overview_text(const CommandEntry& root);
// `drstream push --help`.
std::string command_help(const CommandEntry& root, const CommandEntry& command);
// What `drstream help WORD...` answers: the overview, a command, or a topic. Empty where the words name neither.
std::string help_of(const CommandEntry& root, const std::vector<std::string>& words);

}  // namespace drs
