// drstream kafka archive: topics of a cluster into the repository.
#include <fmt/format.h>

#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/topics/archive.h"
#include "engine/topics/cluster_error.h"
#include "io/base/catch_thrown.h"
#include "tools/cli/identity.h"
#include "tools/cli/option_builder.h"
#include "tools/commands/kafka_commands.h"
#include "tools/commands/kafka_options.h"
#include "tools/commands/push_spool.h"
#include "tools/output/progress.h"
#include "tools/output/quantity_text.h"
#include "tools/output/snapshot_json.h"
#include "tools/output/stats_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"
#include "tools/output/topics_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"
#include "tools/repository/selector_text.h"

namespace drs {
namespace {

struct KafkaArchiveCommand {
  std::string stream;
  KafkaOptions kafka;
  TopicPatterns topics;
  std::string groups = "*";
  std::optional<History> history;
  std::string budget;
  std::optional<std::uint64_t> consolidate;
  bool read_uncommitted = false;
  bool new_cluster = false;
  bool dry_run = false;
  bool refuse_loss = false;
  std::vector<std::string> also;
  std::vector<std::string> tags;
  CompressionChoice compression;
  SpoolSettings spool;
  bool stats = false;
};

// A signal that comes while records are read ends the reading, and the archive commits what it has.
class GentleStop {
 public:
  explicit GentleStop(CommandContext& context) : context_(context) {}
  ~GentleStop() { context_.signals.set_gentle(nullptr); }
  GentleStop(const GentleStop&) = delete;
  GentleStop& operator=(const GentleStop&) = delete;
  void begin() { context_.signals.set_gentle(&token_); }
  [[nodiscard]] bool asked() const { return token_.cancelled(); }
  [[nodiscard]] const CancelToken& token() const { return token_; }

 private:
  CommandContext& context_;
  CancelToken token_;
};

Result<void> check_choices(const KafkaArchiveCommand& command) {
  if (!command.also.empty())
    return Error(ErrorCode::kUsage,
                 "--also does not work here: each repository has a position of its own in the topics. Archive into "
                 "one, and bring the other up to date with `drstream copy`");
  DRS_RETURN_IF_ERROR(check_new_stream_name(command.stream));
  DRS_RETURN_IF_ERROR(check_spool(command.spool));
  return validate(command.topics);
}

Result<ArchiveOptions> archive_options(const KafkaArchiveCommand& command) {
  ArchiveOptions options;
  options.stream = command.stream;
  options.topics = command.topics;
  options.groups = command.groups;
  options.history = command.history;
  options.read_uncommitted = command.read_uncommitted;
  options.new_cluster = command.new_cluster;
  options.refuse_loss = command.refuse_loss;
  options.compression = command.compression;
  if (command.consolidate) options.consolidation.bytes_max = *command.consolidate;
  DRS_ASSIGN_OR_RETURN(options.tags, parse_tags(command.tags));
  options.host = host_name();
  options.tool_version = version_line();
  DRS_RETURN_IF_ERROR(validate(options));
  return options;
}

nlohmann::ordered_json archive_json(const ArchiveReport& report, const Head& head) {
  nlohmann::ordered_json out = snapshot_json(report.manifest_name, report.manifest_digest, report.manifest);
  out["head"] = format_head(head);
  out["seconds"] = report.elapsed.count();
  out["complete"] = report.partial.empty();
  out["records_read"] = report.records_read;
  out["read_payload_bytes"] = report.payload_bytes_read;
  out["records"] = report.records;
  out["rewritten_bytes"] = report.rewritten_bytes;
  out["lost_offsets"] = report.lost_offsets;
  out["packs_written"] = report.packs;
  out["written_bytes"] = report.packs_bytes;
  out["topics"] = topics_json(report.catalogue);
  out["warnings"] = report.warnings;
  out["stats"] = push_stats_json(report.stats);
  return out;
}

std::string summary_line(const ArchiveReport& report) {
  const ManifestHeader& manifest = report.manifest;
  return fmt::format("snapshot {} stream {} records {} new {} bytes {} stored {} seconds {:.2f} {}",
                     manifest.session.hex(), manifest.stream, report.records, report.records_read,
                     report.payload_bytes_read, manifest.stored_bytes, report.elapsed.count(),
                     report.partial.empty() ? "complete" : "partial: " + report.partial);
}

void report_committed(CommandContext& context, const ArchiveReport& report, SeenHeads& seen,
                      const std::vector<Head>& heads_before, bool with_stats) {
  const Head head{report.manifest.stream,
                  report.manifest.sequence,
                  report.manifest_digest,
                  report.manifest_name,
                  report.manifest.finished_ns,
                  {},
                  {}};
  for (const std::string& warning : report.warnings) context.log.warn("{}", warning);
  seen.record(head, report.manifest, heads_before, report.snapshots_before);
  context.output.document("drstream.kafka-archive/1", archive_json(report, head));
  context.output.remark(context.output.on_terminal() ? archived_text(report) : summary_line(report));
  if (!report.partial.empty()) context.output.text(partial_text(report.catalogue));
  context.output.remark("head " + format_head(head));
  if (with_stats) context.output.text(push_stats_text(report.stats));
}

Result<ExitCode> run_dry(CommandContext& context, Repository& repository, const KafkaClients& clients,
                         const ArchiveOptions& options) {
  context.effect = CommandEffect::kReadsTopics;
  DRS_ASSIGN_OR_RETURN(const ArchivePreview preview,
                       preview_archive(repository, *clients.cluster, *clients.reader, options, 16 * kMiB));
  for (const std::string& warning : preview.plan.warnings) context.log.warn("{}", warning);
  context.output.document("drstream.kafka-archive-plan/1", plan_json(preview));
  context.output.text(plan_text(preview));
  return ExitCode::kOk;
}

Result<ExitCode> run_archive(CommandContext& context, const KafkaArchiveCommand& command) {
  DRS_RETURN_IF_ERROR(check_clock(std::time(nullptr)));
  DRS_RETURN_IF_ERROR(check_choices(command));
  DRS_ASSIGN_OR_RETURN(ArchiveOptions options, archive_options(command));
  DRS_ASSIGN_OR_RETURN(const KafkaSettings settings, kafka_settings(context, command.kafka));
  Budget budget;
  if (!command.budget.empty()) {
    DRS_ASSIGN_OR_RETURN(budget, parse_budget(command.budget));
  }
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context));
  warn_of_other_owner(context);
  SeenHeads seen(context, *repository);
  const std::vector<Head> heads_before = seen.load(command.stream);
  for (const Head& head : heads_before) options.sequence_seen = std::max(options.sequence_seen, head.sequence);
  DRS_ASSIGN_OR_RETURN(const std::size_t memory_bytes, context.options.memory_bytes());
  StoreNeeds needs = needs_of(repository->store());
  needs.spooled = !command.spool.directory.empty();
  DRS_ASSIGN_OR_RETURN(const ArchiveMemory memory,
                       plan_archive({.memory_bytes = memory_bytes, .threads = context.options.thread_count()},
                                    options.compression, needs));
  if (!memory.push.notice.empty()) context.log.info("{}", memory.push.notice);
  GentleStop gentle(context);
  DRS_ASSIGN_OR_RETURN(const KafkaClients clients,
                       of_source(connect_kafka(context, settings,
                                               {.memory_bytes = memory.client_bytes,
                                                .read_uncommitted = command.read_uncommitted,
                                                .hurry = &gentle.token()})));
  const auto cancelling = context.cancel.on_cancel([&] { clients.cancel(); });
  if (command.dry_run) return run_dry(context, *repository, clients, options);
  DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.push.arena_bytes));
  options.before_reading = [&] { gentle.begin(); };
  options.bytes_max = budget.bytes;
  const auto started = context.clock.steady();
  options.stop = [&]() -> std::string {
    if (gentle.asked()) return "signal";
    return budget.time && context.clock.steady() - started >= *budget.time ? "budget" : "";
  };
  ProgressCounters counters;
  const auto run = [&] {
    // Caught here: a spool entry that holds the whole archive outlives what a library throws.
    return catch_thrown([&] {
      const ProgressReporter reporter(progress_options(context, "kafka archive"), counters, context.console,
                                      context.clock);
      return archive(*repository, *clients.cluster, *clients.reader, options, {memory, arena},
                     {counters, context.cancel});
    });
  };
  auto report = [&]() -> Result<ArchiveReport> {
    if (command.spool.directory.empty()) return run();
    DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
    DRS_ASSIGN_OR_RETURN(const auto spool, PushSpool::begin(context, *repository, place, command.spool,
                                                            memory.push.spool_bytes, counters));
    auto ended = spool->end(run());
    context.next_step = spool->next_step();
    return ended;
  }();
  if (!report.ok()) return std::move(report).error();
  context.effect = CommandEffect::kCommitted;
  report_committed(context, *report, seen, heads_before, command.stats);
  // What was read is committed; a scheduler that stopped the run sees that it was stopped.
  if (gentle.asked()) return static_cast<ExitCode>(exit_status_of_signal(context.signals.received()));
  return ExitCode::kOk;
}

}  // namespace

void add_kafka_archive_command(CommandSet& commands, CLI::App& kafka) {
  const auto command = std::make_shared<KafkaArchiveCommand>();
  CLI::App* const app = add_subcommand(
      kafka, "archive", "Archive topics as a snapshot; the next archive of the same name reads only what is new",
      "  drstream kafka archive prod --bootstrap b1:9092 --topics orders --topics 're:events\\..*'\n"
      "  drstream kafka archive prod --bootstrap b1:9092 --topics '*' --exclude 'test-*' --history 90d\n"
      "  drstream kafka archive prod --bootstrap b1:9092 --topics '*' --budget 2h\n"
      "  drstream kafka archive prod --bootstrap b1:9092 --topics orders --dry-run\n");
  app->add_option("STREAM", command->stream, "The archive's name, such as prod")->required()->type_name("");
  declare_kafka_options(*app, command->kafka);
  add_texts(*app, "--topics", command->topics.include, "PATTERN",
            "A topic, a glob, or re:REGEX, which must match the whole name; may be given several times");
  add_texts(*app, "--exclude", command->topics.exclude, "PATTERN", "Leave these topics out");
  add_text(*app, "--groups", command->groups, "GLOB",
           "Whose offsets to keep: consumer groups that have offsets in these topics (default *)");
  add_parsed(
      *app, "--history", command->history, parse_history, "DAYS",
      "How long records stay that the topics no longer have: live (not at all, default), a number of days or hours "
      "such as 90d or 36h, or all; later archives inherit it");
  add_text(*app, "--budget", command->budget, "TIME|SIZE",
           "Commit what was read after this time or size; the next run goes on from there");
  add_parsed(*app, "--consolidate", command->consolidate, parse_size, "SIZE",
             "How much of earlier runs a run may rewrite, so that an archive of many runs stays small (default 10GiB)");
  add_flag(*app, "--read-uncommitted", command->read_uncommitted,
           "Also archive records of open and aborted transactions; later archives of the name must do so, too");
  add_flag(*app, "--new-cluster", command->new_cluster,
           "Go on with an archive of another cluster, whose place this one has taken; refused without it");
  add_choice<bool>(*app, "--on-loss", command->refuse_loss, {{"warn", false}, {"refuse", true}},
                   "What to do if retention deletes records during the run before they are read (default warn)");
  add_texts(*app, "--tag", command->tags, "KEY=VALUE", "Tag the snapshot; may be given several times");
  as_setting(add_parsed(*app, "--compression", command->compression, parse_compression, "CODEC",
                        "Compression of blocks: zstd:N with N from 1 to 19 or -1 to -7, lz4, none (default zstd:1)"));
  add_texts(*app, "--also", command->also, "PLACE", "Not for archives: use `drstream copy`");
  add_flag(*app, "--dry-run", command->dry_run, "Show what would be read; read and store nothing");
  declare_spool_options(*app, command->spool);
  as_setting(add_flag(*app, "--stats", command->stats, "Print where the time went (always in --json)"));
  const auto metrics = add_run_metrics(*app, "backup");
  commands.add({
      .app = app,
      .effect = CommandEffect::kArchives,
      .run =
          [command, metrics](CommandContext& context) {
            metrics->labels = {{"stream", command->stream}};
            if (command->dry_run) metrics->drop();
            return run_archive(context, *command);
          },
      .metrics = metrics,
      .reports = add_reports(*app),
  });
}

}  // namespace drs
