// The commands of `drstream repair` with a file of their own. `repair`: the command above them.
#pragma once

#include "tools/command.h"

namespace drs {

void add_repair_packs_command(CommandSet& commands, CLI::App& repair);

}  // namespace drs
