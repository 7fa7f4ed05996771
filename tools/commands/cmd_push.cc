// drstream push: one stream into the repository.
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <memory>

#include "engine/pipeline/push/push.h"
#include "io/child_source.h"
#include "io/file_source.h"
#include "io/pipe_source.h"
#include "tools/cli/child_command.h"
#include "tools/cli/descriptors.h"
#include "tools/cli/identity.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/holding.h"
#include "tools/commands/push_destinations.h"
#include "tools/commands/push_results.h"
#include "tools/commands/push_spool.h"
#include "tools/output/quantity_text.h"
#include "tools/output/time_text.h"
#include "tools/repository/keys.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/process_environment.h"
#include "tools/repository/selector_text.h"

namespace drs {
namespace {

enum class OnAnomaly { kRefuse, kTag };

struct PushCommand {
  std::string stream;
  std::vector<std::string> also;
  bool exec = false;
  std::string file;
  std::string time;
  std::vector<std::string> tags;
  CompressionChoice compression;
  std::optional<std::uint64_t> bytes_min;
  std::optional<double> shrink_max;
  std::optional<double> growth_max;
  OnAnomaly on_anomaly = OnAnomaly::kRefuse;
  std::string require_trailer;
  bool require_producer = false;
  bool allow_empty = false;
  bool no_read_back = false;
  bool no_stream_sha256 = false;
  bool stats = false;
  std::optional<std::uint64_t> size_hint;
  std::optional<std::chrono::milliseconds> timeout;
  SpoolSettings spool;
  bool hold = false;
  HoldChoice hold_choice;
};

// What is asked of the snapshot's hold; nothing without --hold. Where the credentials are a writer's, the hold is
// shorter than asked rather than none: the push has taken its time by then.
Result<std::optional<HoldRequest>> hold_options(const PushCommand& command, WallNs now_ns) {
  const HoldChoice& choice = command.hold_choice;
  if (!command.hold && !(choice.until.empty() && choice.reason.empty()))
    return Error(ErrorCode::kUsage, "--hold-until and --hold-reason say how the snapshot is held: give --hold, too");
  if (!command.hold) return std::optional<HoldRequest>();
  DRS_ASSIGN_OR_RETURN(HoldRequest request, hold_request(choice, now_ns));
  request.too_long = HoldRequest::TooLong::kShorten;
  return std::optional(std::move(request));
}

Result<PushOptions> push_options(const PushCommand& command, WallNs now_ns) {
  DRS_RETURN_IF_ERROR(check_new_stream_name(command.stream));
  PushOptions options;
  options.stream = command.stream;
  if (!command.time.empty()) {
    DRS_ASSIGN_OR_RETURN(options.snapshot_ns, parse_time(command.time, now_ns, TimeEdge::kBegin));
  }
  options.compression = command.compression;
  options.read_back = !command.no_read_back;
  options.stream_sha256 = !command.no_stream_sha256;
  DRS_ASSIGN_OR_RETURN(options.tags, parse_tags(command.tags));
  options.gates.allow_empty = command.allow_empty;
  options.gates.bytes_min = command.bytes_min;
  options.gates.shrink_max = command.shrink_max;
  options.gates.growth_max = command.growth_max;
  options.gates.trailer_pattern = command.require_trailer;
  options.gates.tag_anomalies = command.on_anomaly == OnAnomaly::kTag;
  options.host = host_name();
  options.tool_version = version_line();
  DRS_RETURN_IF_ERROR(validate(options));
  return options;
}

Result<double> parse_shrink(std::string_view text) {
  DRS_ASSIGN_OR_RETURN(const double part, parse_percent(text));
  if (part >= 1)
    return Error(ErrorCode::kUsage,
                 fmt::format("'{}' never refuses anything: no stream shrinks by more than 100%", text));
  return part;
}

Result<std::string> check_pattern(std::string_view text) {
  if (text.empty()) return Error(ErrorCode::kUsage, "an empty value is not accepted");
  PushGates gates;
  gates.trailer_pattern = text;
  DRS_RETURN_IF_ERROR(validate(gates));
  return std::move(gates.trailer_pattern);
}

Result<void> check_choices(const PushCommand& command, const CommandContext& context) {
  const bool has_child = !context.child_command.empty();
  if (command.exec && !command.file.empty())
    return Error(ErrorCode::kUsage, "--exec and --file exclude each other: a snapshot has one source");
  if (command.exec && !has_child)
    return Error(ErrorCode::kUsage,
                 "--exec needs the producer behind --, such as: drstream push pg/app --exec -- pg_dump -Fc app");
  if (command.file == "-")
    return Error(ErrorCode::kUsage,
                 "--file - does not mean stdin: --file proves that the stream is complete, and a pipe cannot; to read "
                 "stdin leave --file out, or use --exec -- CMD... (a file of that name is ./-)");
  if (!command.exec && has_child) return Error(ErrorCode::kUsage, "a command stands behind --, but --exec is missing");
  DRS_RETURN_IF_ERROR(check_child_command(context.child_command));
  DRS_RETURN_IF_ERROR(check_spool(command.spool));
  if (!command.exec && command.timeout)
    return Error(ErrorCode::kUsage, "--timeout needs --exec: drstream can only end a producer that it started");
  if (!command.exec && command.file.empty() && command.require_producer)
    return Error(ErrorCode::kUsage,
                 "--require-producer refuses a plain pipe, behind which a producer may fail unseen: use --exec -- "
                 "CMD... or --file FILE");
  if (!command.exec && command.file.empty() && ::isatty(STDIN_FILENO) == 1)
    return Error(ErrorCode::kUsage,
                 "stdin is a terminal: pipe a producer into drstream, or use --exec -- CMD... or --file FILE");
  if (!command.exec && command.file.empty()) return check_stdin_is_readable();
  return {};
}

// `memory`: for its buffers.
Result<std::unique_ptr<Source>> make_source(const PushCommand& command, const CommandContext& context,
                                            MutableByteView memory) {
  if (!command.file.empty()) return make_file_source(command.file, context.options.io, memory);
  if (!command.exec) return make_pipe_source(STDIN_FILENO, "stdin");
  ChildOptions child = child_options(context.child_command);
  child.guardian = context.guardian;
  if (command.timeout) child.timeout = std::chrono::ceil<std::chrono::seconds>(*command.timeout);
  auto source = make_child_source(child);
  // A producer that cannot be started has failed: a scheduler must not mistake that for a wrong option of drstream.
  if (!source.ok() && source.error().code == ErrorCode::kUsage)
    return Error(ErrorCode::kSource, std::move(source).error().message);
  return source;
}

Result<ExitCode> run_push(CommandContext& context, const PushCommand& command) {
  DRS_RETURN_IF_ERROR(check_clock(std::time(nullptr)));
  DRS_ASSIGN_OR_RETURN(const PushOptions options, push_options(command, context.clock.wall_ns()));
  DRS_RETURN_IF_ERROR(check_choices(command, context));
  DRS_ASSIGN_OR_RETURN(const std::optional<HoldRequest> hold, hold_options(command, context.clock.wall_ns()));
  if (const auto warning = unseen_pipe_warning(context.child_command)) context.log.warn("{}", *warning);
  DRS_ASSIGN_OR_RETURN(auto destinations, open_push_destinations(context, command.also, command.stream));
  DRS_ASSIGN_OR_RETURN(const PushShares shares, plan_push_shares(context.options, destinations, options.compression,
                                                                 !command.spool.directory.empty()));
  for (const std::string& notice : shares.notices) context.log.info("{}", notice);
  if (options.snapshot_ns && *options.snapshot_ns > context.clock.wall_ns())
    context.log.warn("--time {} lies in the future: until then `drstream pull {}@now` does not select this snapshot",
                     format_time_local(*options.snapshot_ns), options.stream);
  for (const PushDestination& destination : destinations) {
    warn_of_other_owner(context, destination.place);
    clean_leftovers(context, destination.place);
  }
  // After the keys: deriving one from a passphrase takes 128 MiB for a moment
  // (docs/decisions/0005-a-passphrase-takes-nothing-from-memory.md).
  DRS_ASSIGN_OR_RETURN(PushBuffers buffers, PushBuffers::map(shares));
  DRS_ASSIGN_OR_RETURN(const auto source, make_source(command, context, buffers.source_memory()));
  context.log.debug("{}: {}", source->name(), source->io_description());
  DRS_ASSIGN_OR_RETURN(
      const auto results,
      push_to_each(context, destinations, *source, {options, shares, buffers, command.spool, command.size_hint, hold}));
  return report_push_results(context, destinations, results, command.stats);
}

void declare_push_gates(CLI::App& app, PushCommand& command) {
  constexpr const char* kGroup = "Gates";
  add_parsed(app, "--min-size", command.bytes_min, parse_size, "SIZE", "Refuse a stream smaller than this")
      ->group(kGroup);
  add_parsed(app, "--max-shrink", command.shrink_max, parse_shrink, "PERCENT",
             "Refuse a stream smaller than the stream's last snapshot without the tag anomaly by more than this")
      ->group(kGroup);
  add_parsed(app, "--max-growth", command.growth_max, parse_percent, "PERCENT",
             "Refuse a stream larger than the stream's last snapshot without the tag anomaly by more than this")
      ->group(kGroup);
  add_choice<OnAnomaly>(app, "--on-anomaly", command.on_anomaly,
                        {{"refuse", OnAnomaly::kRefuse}, {"tag", OnAnomaly::kTag}},
                        "What to do if a gate is missed (default refuse: exit 15; tag: commit with the tag anomaly, "
                        "for `list --tag anomaly`)")
      ->group(kGroup);
  add_parsed(
      app, "--require-trailer", command.require_trailer, check_pattern, "REGEX",
      "Refuse a stream whose last 64 KiB do not match REGEX (extended, as in grep -E); for pg_dump -Fp: \"PostgreSQL "
      "database dump complete\"")
      ->group(kGroup);
  as_setting(add_flag(app, "--require-producer", command.require_producer,
                      "Refuse a plain pipe (exit 2): only --exec and --file show whether the producer finished"))
      ->group(kGroup);
  add_flag(app, "--allow-empty", command.allow_empty, "Accept a stream of 0 bytes")->group(kGroup);
}

}  // namespace

void add_push_command(CommandSet& commands) {
  const auto command = std::make_shared<PushCommand>();
  CLI::App* const app =
      add_subcommand(commands.root(), "push", "Store a stream as a snapshot: stdin, a command, or a file",
                     "  pg_dump -Fc -Z0 app | drstream push pg/app\n"
                     "  drstream push pg/app --exec -- pg_dump -Fc -Z0 app\n"
                     "  drstream push pg/app --require-trailer 'PostgreSQL database dump complete' \\\n"
                     "    --exec -- pg_dump app\n"
                     "  drstream push vm/disk0 --file disk.img --max-shrink 10%\n"
                     "  drstream push pg/app --also 's3://offsite/backups?region=eu-central-1' \\\n"
                     "    --exec -- pg_dump -Fc -Z0 app\n"
                     "  drstream push pg/app --tag env=production --time 2026-11-20T02:00 < app.dump\n");
  app->add_option("STREAM", command->stream, "The stream's name, such as pg/app")->required()->type_name("");
  add_flag(*app, "--exec", command->exec, "Run the command behind --, store what it prints, commit only if it exits 0");
  as_setting(add_texts(*app, "--also", command->also, "PLACE",
                       "Also store the stream in this repository; may be given several times. Each repository commits "
                       "on its own, the worst failure decides the exit code, and --memory is divided among them"));
  add_text(*app, "--file", command->file, "FILE", "Store a file or a block device");
  add_parsed(*app, "--timeout", command->timeout, parse_duration, "DURATION",
             "With --exec: kill a command that runs longer");
  add_texts(*app, "--tag", command->tags, "KEY=VALUE", "Tag the snapshot; may be given several times");
  add_text(
      *app, "--time", command->time, "TIME",
      "The snapshot's time (default now); the latest snapshot of a stream is the one pushed last, whatever its time");
  as_setting(add_parsed(*app, "--compression", command->compression, parse_compression, "CODEC",
                        "Compression of blocks: zstd:N with N from 1 to 19 or -1 to -7, lz4, none (default zstd:1)"));
  declare_spool_options(*app, command->spool);
  add_flag(*app, "--hold", command->hold, "Hold the snapshot once it is committed, as `drstream hold` does");
  add_text(*app, "--hold-until", command->hold_choice.until, "TIME",
           "With --hold: until this time, or for a span such as 90d, 6m (months) or 1y (default: for ever)");
  add_text(*app, "--hold-reason", command->hold_choice.reason, "TEXT", "With --hold: why");
  declare_push_gates(*app, *command);
  add_flag(*app, "--no-readback", command->no_read_back, "Do not decode each block as a check before it is stored");
  add_flag(*app, "--no-stream-sha256", command->no_stream_sha256,
           "Do not compute the SHA-256 of the whole stream (XXH3 remains)");
  as_setting(
      add_flag(*app, "--stats", command->stats,
               "Print where the time went: CPU of each stage, waits, copies, and the bottleneck (always in --json)"));
  add_parsed(*app, "--size-hint", command->size_hint, parse_size, "SIZE", "Expected size, for the progress shown");
  const auto metrics = add_run_metrics(*app, "backup");
  commands.add({
      .app = app,
      .effect = CommandEffect::kCommits,
      .run =
          [command, metrics](CommandContext& context) {
            metrics->labels = {{"stream", command->stream}};
            return run_push(context, *command);
          },
      .takes_child_command = true,
      .metrics = metrics,
      .reports = add_reports(*app),
  });
}

}  // namespace drs
