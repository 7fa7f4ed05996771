// The commands of `drstream kafka`, each in a file of its own. `kafka`: the command above them.
#pragma once

#include "tools/command.h"

namespace drs {

void add_kafka_archive_command(CommandSet& commands, CLI::App& kafka);
void add_kafka_cat_command(CommandSet& commands, CLI::App& kafka);
void add_kafka_restore_command(CommandSet& commands, CLI::App& kafka);
void add_kafka_compare_command(CommandSet& commands, CLI::App& kafka);
void add_kafka_offsets_command(CommandSet& commands, CLI::App& kafka);

}  // namespace drs
