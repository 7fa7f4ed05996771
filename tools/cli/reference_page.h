// docs/REFERENCE.md: every command, option and topic as one page of Markdown, made of the command-line model.
#pragma once

#include <string>

#include "tools/cli/command_tree.h"

namespace drs {

std::string reference_page(const CommandEntry& root);

}  // namespace drs
