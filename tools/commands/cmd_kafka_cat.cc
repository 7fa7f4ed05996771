// drstream kafka cat: records of an archive, to stdout.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "io/stream_sink.h"
#include "tools/cli/option_builder.h"
#include "tools/commands/kafka_commands.h"
#include "tools/commands/kafka_options.h"
#include "tools/commands/open_archive.h"
#include "tools/output/time_text.h"
#include "tools/output/topics_text.h"

namespace drs {
namespace {

constexpr std::size_t kIndexCacheBytes = 16 * kMiB;

enum class RecordFormat { kJson, kRaw, kHex };

struct KafkaCatCommand {
  std::string selector;
  std::string partition;
  std::optional<std::uint64_t> from;
  std::optional<std::uint64_t> until_offset;
  std::optional<std::uint64_t> count;
  std::string since;
  std::string until;
  RecordFormat format = RecordFormat::kJson;
};

std::string hex_or_null(const std::optional<ByteView>& bytes) {
  return bytes ? to_hex(*bytes) : "-";
}

// One line for each record; raw: the value and a line feed, as kcat prints it.
void append_record(std::string& out, const Record& record, RecordFormat format) {
  switch (format) {
    case RecordFormat::kJson: out += dump_json(record_json(record), JsonLayout::kOneLine); break;
    case RecordFormat::kRaw:
      if (record.value) out += as_text(*record.value);
      break;
    case RecordFormat::kHex:
      out += fmt::format("{} {} {} {}", record.offset, record.timestamp_ms, hex_or_null(record.key),
                         hex_or_null(record.value));
      break;
  }
  out += '\n';
}

Result<RecordWindow> window_of(const KafkaCatCommand& command, WallNs now_ns) {
  constexpr WallNs kNsPerMs = 1'000'000;
  RecordWindow window;
  if (command.from) window.from = static_cast<std::int64_t>(*command.from);
  if (command.until_offset) window.to = static_cast<std::int64_t>(*command.until_offset);
  if (!command.since.empty()) {
    DRS_ASSIGN_OR_RETURN(const WallNs since_ns, parse_time(command.since, now_ns, TimeEdge::kBegin));
    window.since_ms = since_ns / kNsPerMs;
  }
  if (!command.until.empty()) {
    DRS_ASSIGN_OR_RETURN(const WallNs until_ns, parse_time(command.until, now_ns, TimeEdge::kBegin));
    window.until_ms = until_ns / kNsPerMs;
  }
  if (window.since_ms && window.until_ms && *window.since_ms >= *window.until_ms)
    return Error(ErrorCode::kUsage, "--since is not before --until, so that no record is selected");
  return window;
}

Result<const CataloguePartition*> find_partition(const TopicView& view, const TopicPartition& wanted) {
  const CatalogueTopic* const topic = view.find(wanted.topic);
  if (topic == nullptr)
    return Error(ErrorCode::kUsage, fmt::format("the archive has no topic '{}'; `drstream show {}` lists its topics",
                                                wanted.topic, view.manifest().session.hex()));
  for (const CataloguePartition& partition : topic->partitions)
    if (partition.number == wanted.partition) return &partition;
  return Error(ErrorCode::kUsage, fmt::format("topic {} has partitions 0 to {} in the archive, not {}", wanted.topic,
                                              topic->partitions.size() - 1, wanted.partition));
}

Result<ExitCode> run_cat(CommandContext& context, const KafkaCatCommand& command) {
  DRS_ASSIGN_OR_RETURN(const TopicPartition wanted, parse_topic_partition(command.partition));
  DRS_ASSIGN_OR_RETURN(const RecordWindow window, window_of(command, context.clock.wall_ns()));
  context.output.yield_stdout();
  DRS_ASSIGN_OR_RETURN(const OpenedArchive archive, open_archive(context, command.selector, kIndexCacheBytes));
  DRS_ASSIGN_OR_RETURN(const CataloguePartition* const partition, find_partition(archive.view(), wanted));
  constexpr std::size_t kWriteBytes = 64 * kKiB;
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<Sink> sink, make_stream_sink(STDOUT_FILENO, "stdout"));
  const auto cancelling = context.cancel.on_cancel([&] { sink->cancel(); });
  std::string lines;
  const auto write = [&]() -> Result<void> {
    DRS_RETURN_IF_ERROR(sink->write(as_bytes(lines)));
    lines.clear();
    return {};
  };
  std::uint64_t left = command.count.value_or(std::numeric_limits<std::uint64_t>::max());
  const auto print = [&](const Record& record) -> Result<bool> {
    append_record(lines, record, command.format);
    if (lines.size() >= kWriteBytes) DRS_RETURN_IF_ERROR(write());
    return --left > 0;
  };
  if (left > 0) DRS_RETURN_IF_ERROR(archive.view().visit(*partition, window, print));
  DRS_RETURN_IF_ERROR(write());
  DRS_RETURN_IF_ERROR(sink->commit());
  return ExitCode::kOk;
}

}  // namespace

void add_kafka_cat_command(CommandSet& commands, CLI::App& kafka) {
  const auto command = std::make_shared<KafkaCatCommand>();
  CLI::App* const app = add_subcommand(kafka, "cat", "Print records of an archived partition",
                                       "  drstream kafka cat prod@latest orders/3 --from-offset 100 --count 10\n"
                                       "  drstream kafka cat prod orders/3 --since '2026-11-20 02:00' --format raw\n");
  declare_archive(*app, command->selector);
  app->add_option("PARTITION", command->partition, "TOPIC/NUMBER, such as orders/3")->required()->type_name("");
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  add_parsed(*app, "--from-offset", command->from, number_between(0, kMost), "N", "From this offset on");
  add_parsed(*app, "--until-offset", command->until_offset, number_between(0, kMost), "N",
             "Up to this offset, without it");
  add_text(*app, "--since", command->since, "TIME", "Only records with a timestamp at or after TIME");
  add_text(*app, "--until", command->until, "TIME", "Only records with a timestamp before TIME");
  add_parsed(*app, "--count", command->count, number_between(0, kMost), "N", "At most this many");
  add_choice<RecordFormat>(
      *app, "--format", command->format,
      {{"json", RecordFormat::kJson}, {"raw", RecordFormat::kRaw}, {"hex", RecordFormat::kHex}},
      "json: one object for each record (default); raw: values, each with a line feed; hex: offset, timestamp, key and "
      "value");
  commands.add({app, CommandEffect::kReads, [command](CommandContext& context) { return run_cat(context, *command); }});
}

}  // namespace drs
