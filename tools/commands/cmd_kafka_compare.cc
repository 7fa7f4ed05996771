// drstream kafka compare: whether a cluster holds the records of an archive.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/topics/proof.h"
#include "tools/cli/option_builder.h"
#include "tools/commands/kafka_choice.h"
#include "tools/commands/kafka_commands.h"
#include "tools/commands/kafka_options.h"
#include "tools/commands/open_archive.h"
#include "tools/output/progress.h"
#include "tools/output/summary_text.h"

namespace drs {
namespace {

struct KafkaCompareCommand {
  std::string selector;
  KafkaOptions kafka;
  KafkaChoiceOptions choice;
  bool records = false;
};

nlohmann::ordered_json proof_json(const Snapshot& snapshot, const TopicProof& proof) {
  nlohmann::ordered_json out;
  out["id"] = snapshot.id();
  out["stream"] = snapshot.manifest.stream;
  out["equal"] = proof.different == 0;
  out["records"] = proof.records;
  out["extra_records"] = proof.extra_records;
  out["partitions"] = nlohmann::ordered_json::array();
  for (const PartitionProof& each : proof.partitions) {
    nlohmann::ordered_json one;
    one["topic"] = each.source.topic;
    one["target"] = each.target.topic;
    one["partition"] = each.source.partition;
    one["equal"] = each.difference.empty();
    one["records"] = each.records;
    one["extra_records"] = each.extra_records;
    if (!each.difference.empty()) one["difference"] = each.difference;
    out["partitions"].push_back(std::move(one));
  }
  return out;
}

std::string proof_text(const TopicProof& proof) {
  std::string out;
  for (const PartitionProof& each : proof.partitions) {
    if (!each.difference.empty())
      out += fmt::format("{}/{}: {} records are equal, then {}\n", each.target.topic, each.target.partition,
                         each.records, each.difference);
    else if (each.extra_records > 0)
      out += fmt::format("{}/{}: equal; {} records came after those of the archive\n", each.target.topic,
                         each.target.partition, each.extra_records);
  }
  return out;
}

Result<ExitCode> run_compare(CommandContext& context, const KafkaCompareCommand& command) {
  DRS_ASSIGN_OR_RETURN(const TopicChoice choice, kafka_choice(command.choice, context.clock.wall_ns()));
  DRS_ASSIGN_OR_RETURN(const KafkaSettings settings, kafka_settings(context, command.kafka));
  DRS_ASSIGN_OR_RETURN(const ArchiveAndCluster both,
                       open_archive_and_cluster(context, command.selector, choice, settings));
  const auto cancelling = context.cancel.on_cancel([&] { both.clients.cancel(); });
  ProgressCounters counters;
  for (const ChosenTopic& topic : both.topics) counters.total_bytes += size_of(topic).payload_bytes;
  auto proof = [&] {
    const ProgressReporter reporter(progress_options(context, "kafka compare"), counters, context.console,
                                    context.clock);
    return compare_topics(both.archive.view(), both.topics, *both.clients.reader, {.each_record = command.records},
                          {counters, context.cancel});
  }();
  if (!proof.ok()) return std::move(proof).error();
  explain_by_compaction(*proof, *both.clients.cluster);
  const ExitCode code = proof->different == 0 ? ExitCode::kOk : ExitCode::kRestoreIncomplete;
  context.output.document("drstream.kafka-compare/1", static_cast<int>(code),
                          proof_json(both.archive.snapshot, *proof));
  context.output.text(proof_text(*proof));
  if (proof->different == 0)
    context.output.remark(fmt::format("equal: {} in {}", counted(proof->records, "record"),
                                      counted(proof->partitions.size(), "partition")));
  else
    context.log.error("{} of {} differ from the archive", proof->different,
                      counted(proof->partitions.size(), "partition"));
  return code;
}

}  // namespace

void add_kafka_compare_command(CommandSet& commands, CLI::App& kafka) {
  const auto command = std::make_shared<KafkaCompareCommand>();
  CLI::App* const app = add_subcommand(
      kafka, "compare", "Read topics of a cluster and compare them with an archive",
      "  drstream kafka compare prod@latest --bootstrap dr:9092\n"
      "  drstream kafka compare prod@latest --bootstrap b1:9092 --topics orders --rename '{topic}.restored'\n");
  declare_archive(*app, command->selector);
  declare_kafka_options(*app, command->kafka);
  declare_kafka_choice(*app, command->choice);
  add_flag(*app, "--records", command->records, "Compare the records themselves, not only the digests of blocks");
  commands.add({app, CommandEffect::kReadsTopics,
                [command](CommandContext& context) { return run_compare(context, *command); }});
}

}  // namespace drs
