// drstream kafka restore: topics of an archive into a cluster.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/topics/cluster_error.h"
#include "engine/topics/read_rate.h"
#include "engine/topics/restore.h"
#include "sinks/kafka/kafka_writer.h"
#include "tools/cli/option_builder.h"
#include "tools/commands/kafka_choice.h"
#include "tools/commands/kafka_commands.h"
#include "tools/commands/kafka_options.h"
#include "tools/commands/open_archive.h"
#include "tools/output/progress.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/topics_text.h"

namespace drs {
namespace {

struct KafkaRestoreCommand {
  std::string selector;
  KafkaOptions kafka;
  KafkaChoiceOptions choice;
  bool use_existing = false;
  bool resume = false;
  bool dry_run = false;
  bool no_proof = false;
  std::optional<std::uint64_t> replication;
  std::optional<std::uint64_t> rate;
};

Result<std::unique_ptr<KafkaWriter>> connect_writer(CommandContext& context, const KafkaSettings& settings,
                                                    const KafkaRestoreCommand& command, const RestorePlan& plan,
                                                    std::size_t memory_bytes) {
  KafkaWriter::Options options;
  options.batch_bytes = plan.preflight.batch_bytes;
  options.memory_bytes = memory_bytes;
  options.bytes_per_second = command.rate.value_or(0);
  options.client = kafka_client_options(context);
  return KafkaWriter::connect(settings, options);
}

nlohmann::ordered_json restore_json(const Snapshot& snapshot, const RestoreReport& report, double seconds) {
  nlohmann::ordered_json out;
  out["id"] = snapshot.id();
  out["stream"] = snapshot.manifest.stream;
  out["records"] = report.records;
  out["payload_bytes"] = report.payload_bytes;
  out["seconds"] = seconds;
  out["proven"] = report.proof.has_value();
  out["topics"] = nlohmann::ordered_json::array();
  for (const RestoredTopic& topic : report.topics) {
    nlohmann::ordered_json one;
    one["topic"] = topic.source;
    one["target"] = topic.target;
    one["records"] = topic.records;
    one["records_there"] = topic.records_there;
    one["refused_configs"] = nlohmann::ordered_json::array();
    for (const RefusedConfig& refused : topic.refused)
      one["refused_configs"].push_back({{"name", refused.name}, {"reason", refused.reason}});
    out["topics"].push_back(std::move(one));
  }
  return out;
}

// How long it takes to write and, by default, to read back: as fast as the archive was read, or as the limit allows.
std::chrono::duration<double> expected_time(const KafkaRestoreCommand& command, std::uint64_t payload_bytes,
                                            double read_bytes_per_second) {
  const auto bytes = static_cast<double>(payload_bytes);
  const double reading = read_bytes_per_second > 0 ? bytes / read_bytes_per_second : 0;
  const double writing = command.rate ? bytes / static_cast<double>(*command.rate) : 0;
  return std::chrono::duration<double>(std::max(reading, writing) + (command.no_proof ? 0 : reading));
}

// What a restore would write, how long it takes at least, and what stands in its way.
Result<ExitCode> show_plan(CommandContext& context, const KafkaRestoreCommand& command, const RestorePlan& plan,
                           double read_bytes_per_second) {
  nlohmann::ordered_json out;
  out["topics"] = nlohmann::ordered_json::array();
  std::string text;
  std::uint64_t payload_bytes = 0;
  for (const ChosenTopic& topic : plan.topics) {
    const RestoreSize size = size_of(topic);
    payload_bytes += size.payload_bytes;
    out["topics"].push_back({{"topic", topic.source->name},
                             {"target", topic.target},
                             {"partition_count", topic.partitions.size()},
                             {"records", size.records},
                             {"payload_bytes", size.payload_bytes}});
    text += fmt::format("{} as {}: {}, {}, {}\n", topic.source->name, topic.target,
                        counted(topic.partitions.size(), "partition"), counted(size.records, "record"),
                        format_size(size.payload_bytes));
  }
  const auto expected = expected_time(command, payload_bytes, read_bytes_per_second);
  out["expected_seconds"] = expected.count();
  text += fmt::format("in all {}, at least {}: the archive is read at {}/s here, and the cluster may be slower\n",
                      format_size(payload_bytes), format_duration(expected),
                      format_size(static_cast<std::uint64_t>(read_bytes_per_second)));
  out["conflicts"] = plan.preflight.conflicts;
  out["remarks"] = plan.preflight.remarks;
  for (const std::string& remark : plan.preflight.remarks) text += "note: " + remark + "\n";
  for (const std::string& conflict : plan.preflight.conflicts) text += "conflict: " + conflict + "\n";
  const ExitCode code = plan.preflight.conflicts.empty() ? ExitCode::kOk : ExitCode::kUsage;
  context.output.document("drstream.kafka-restore-plan/1", static_cast<int>(code), out);
  context.output.text(text);
  return code;
}

Result<RestoreOptions> restore_options(CommandContext& context, const KafkaRestoreCommand& command) {
  RestoreOptions options;
  DRS_ASSIGN_OR_RETURN(options.choice, kafka_choice(command.choice, context.clock.wall_ns()));
  options.target.use_existing = command.use_existing;
  options.target.resume = command.resume;
  if (command.replication) options.target.replication = static_cast<std::uint16_t>(*command.replication);
  options.target.now_ms = context.clock.wall_ns() / 1'000'000;
  options.prove = !command.no_proof;
  return options;
}

void report_restore(CommandContext& context, const Snapshot& snapshot, const RestoreReport& report,
                    std::chrono::duration<double> elapsed) {
  for (const RestoredTopic& topic : report.topics)
    for (const RefusedConfig& refused : topic.refused)
      context.log.warn("topic {}: the cluster refuses the configuration {}: {}", topic.target, refused.name,
                       refused.reason);
  context.output.document("drstream.kafka-restore/1", restore_json(snapshot, report, elapsed.count()));
  context.output.remark(fmt::format("restored {} of {}: {} in {}, {}, {}", snapshot.id().substr(0, kIdDigitsShown),
                                    snapshot.manifest.stream, counted(report.records, "record"),
                                    counted(report.topics.size(), "topic"), pace_text(report.payload_bytes, elapsed),
                                    report.proof ? "read back and equal" : "not read back"));
}

Result<ExitCode> run_restore(CommandContext& context, const KafkaRestoreCommand& command) {
  DRS_ASSIGN_OR_RETURN(RestoreOptions options, restore_options(context, command));
  options.begins = [&context] { context.effect = CommandEffect::kRestoresTopics; };
  DRS_ASSIGN_OR_RETURN(const KafkaSettings settings, kafka_settings(context, command.kafka));
  DRS_ASSIGN_OR_RETURN(const std::size_t memory_bytes, context.options.memory_bytes());
  DRS_ASSIGN_OR_RETURN(const OpenedArchive archive, open_archive(context, command.selector, memory_bytes / 16));
  DRS_ASSIGN_OR_RETURN(const KafkaClients clients,
                       of_target(connect_kafka(context, settings, {.memory_bytes = memory_bytes / 4})));
  const auto cancelling = context.cancel.on_cancel([&] { clients.cancel(); });
  DRS_ASSIGN_OR_RETURN(RestorePlan plan, plan_restore(archive.view(), options, *clients.cluster, *clients.reader));
  const PullMemory memory = plan_pull_share({.bytes = memory_bytes / 2,
                                             .ceiling = fmt::format("--memory {} MiB", memory_bytes / kMiB),
                                             .store = needs_of(archive.repository->store())},
                                            context.options.thread_count());
  DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
  ProgressCounters reading;  // of the repository; not shown
  DRS_ASSIGN_OR_RETURN(const auto restore,
                       RangeRestore::open(*archive.repository, {memory, arena}, {reading, context.cancel}, {}));
  if (command.dry_run) {
    DRS_ASSIGN_OR_RETURN(const double rate, sample_read_rate(archive.view(), plan.topics, *restore, context.clock));
    return show_plan(context, command, plan, rate);
  }
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<KafkaWriter> writer,
                       of_target(connect_writer(context, settings, command, plan, memory_bytes / 4)));
  const auto cancelling_writer = context.cancel.on_cancel([&] { writer->cancel(); });
  if (plan.preflight.conflicts.empty())
    for (const std::string& remark : plan.preflight.remarks) context.log.warn("{}", remark);
  ProgressCounters counters;
  // Until the restore knows what is left: no topic with records is done.
  for (const ChosenTopic& topic : plan.topics)
    counters.parts.emplace_back(topic.target).total_bytes = size_of(topic).payload_bytes;
  const auto started = context.clock.steady();
  const auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "kafka restore"), counters, context.console,
                                    context.clock);
    return restore_topics(archive.view(), *restore, {*clients.cluster, *clients.reader, *writer}, options,
                          std::move(plan), {counters, context.cancel});
  }();
  if (!report.ok()) return report.error();
  report_restore(context, archive.snapshot, *report, context.clock.steady() - started);
  return ExitCode::kOk;
}

}  // namespace

void add_kafka_restore_command(CommandSet& commands, CLI::App& kafka) {
  const auto command = std::make_shared<KafkaRestoreCommand>();
  CLI::App* const app =
      add_subcommand(kafka, "restore", "Restore topics of an archive into a cluster, and read them back",
                     "  drstream kafka restore prod@latest --bootstrap dr:9092 --dry-run\n"
                     "  drstream kafka restore prod@latest --bootstrap dr:9092\n"
                     "  drstream kafka restore prod --bootstrap b1:9092 --topics orders --rename '{topic}.restored'\n"
                     "  drstream kafka restore prod --bootstrap dr:9092 --resume\n");
  declare_archive(*app, command->selector);
  declare_kafka_options(*app, command->kafka);
  declare_kafka_choice(*app, command->choice);
  add_choice<bool>(*app, "--existing-topics", command->use_existing, {{"refuse", false}, {"use", true}},
                   "Topics that exist at the target: refuse (default), or use those that are empty; their "
                   "configurations stay as they are");
  add_parsed(*app, "--replication-factor", command->replication, number_between(1, 1000), "N",
             "Replicas of the topics that are created (default as archived)");
  add_flag(*app, "--resume", command->resume, "Go on where an interrupted restore of the same records ended");
  add_parsed(*app, "--rate-limit", command->rate, parse_size, "SIZE",
             "Write at most this much a second: keys, values and headers");
  add_flag(*app, "--no-proof", command->no_proof, "Do not read back and compare what was written");
  add_flag(*app, "--dry-run", command->dry_run, "Show what would be written, and what stands in the way");
  const auto metrics = add_run_metrics(*app, "restore");
  commands.add({
      .app = app,
      .effect = CommandEffect::kWillRestoreTopics,
      .run =
          [command, metrics](CommandContext& context) {
            if (command->dry_run) metrics->drop();
            return run_restore(context, *command);
          },
      .metrics = metrics,
      .reports = add_reports(*app),
  });
}

}  // namespace drs
