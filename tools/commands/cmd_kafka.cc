// drstream kafka: topics of Kafka, archived and restored.
#include "tools/commands/kafka_commands.h"

namespace drs {

void add_kafka_commands(CommandSet& commands) {
  CLI::App* const kafka = add_subcommand(commands.root(), "kafka", "Archive and restore topics of Kafka", "");
  kafka->require_subcommand(0, 1);
  add_kafka_archive_command(commands, *kafka);
  add_kafka_cat_command(commands, *kafka);
  add_kafka_restore_command(commands, *kafka);
  add_kafka_compare_command(commands, *kafka);
  add_kafka_offsets_command(commands, *kafka);
}

}  // namespace drs
