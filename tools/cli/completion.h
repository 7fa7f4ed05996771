// Completions for shells from the command-line model. Behind `--` they use the child's own completion where the shell
// supports that.
#pragma once

#include <string>

#include "tools/cli/command_tree.h"

namespace drs {

std::string bash_completion(const CommandEntry& root);
std::string zsh_completion(const CommandEntry& root);
std::string fish_completion(const CommandEntry& root);

}  // namespace drs
