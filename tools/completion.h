// Completions for shells from the command-line model. Behind `--` the child's own completion is asked where the shell
// can.
#pragma once

#include <string>

#include "tools/command_tree.h"

namespace drs {

std::string bash_completion(const CommandEntry& root);
std::string zsh_completion(const CommandEntry& root);
std::string fish_completion(const CommandEntry& root);

}  // namespace drs
