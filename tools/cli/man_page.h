// Manual pages (man macros) from the command-line model.
#pragma once

#include <string>
#include <vector>

#include "tools/cli/command_tree.h"

namespace drs {

struct ManPage {
  std::string name;  // "drstream-key-add"
  std::string text;
};

// drstream(1) and one page for each command, subcommands of a command included.
std::vector<ManPage> man_pages(const CommandEntry& root);

}  // namespace drs
