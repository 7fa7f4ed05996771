// The topics of `drstream help`, which hold for every command; also sections of the manual.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/command_tree.h"

namespace drs {

struct HelpItem {
  std::string term;  // empty: a paragraph
  std::string text;
};

struct HelpTopic {
  std::string name;   // "exit-codes"
  std::string title;  // "Exit status"
  std::vector<HelpItem> items;
};

inline constexpr std::string_view kExitCodesTopic = "exit-codes";

// By name. Exit codes and variables come from the tables that the program itself uses.
std::vector<HelpTopic> help_topics(const CommandEntry& root);

// The topic of the options that every command has; it is made of them.
inline constexpr std::string_view kGlobalTopic = "global";

// All topics of `drstream help`, in order.
std::vector<std::string> help_topic_names(const CommandEntry& root);

// What `drstream help` accepts: commands and topics.
std::vector<std::string> command_words_of_help(const CommandEntry& root);

}  // namespace drs
