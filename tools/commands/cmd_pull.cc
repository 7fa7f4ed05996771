// drstream pull: a snapshot, or a range of it, back out.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/pipeline/pull/pull.h"
#include "io/child_sink.h"
#include "io/file_sink.h"
#include "io/pipe.h"
#include "io/stream_sink.h"
#include "tools/cli/child_command.h"
#include "tools/cli/descriptors.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/pull_holes.h"
#include "tools/output/quantity_text.h"
#include "tools/output/stats_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"
#include "tools/repository/keys.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/process_environment.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

struct PullCommand {
  std::string selector;
  std::string output;
  bool force = false;
  bool exec = false;
  bool consumer_may_stop = false;
  std::uint64_t offset_bytes = 0;
  std::optional<std::uint64_t> length_bytes;
  HoleChoice holes;
};

Result<void> check_sink_choice(const PullCommand& command, const CommandContext& context) {
  const bool has_child = !context.child_command.empty();
  if (command.exec && !command.output.empty())
    return Error(ErrorCode::kUsage, "--exec and --output exclude each other");
  if (command.exec && !has_child)
    return Error(ErrorCode::kUsage,
                 "--exec needs the consumer behind --, such as: drstream pull pg/app --exec -- pg_restore -d new");
  if (!command.exec && has_child) return Error(ErrorCode::kUsage, "a command stands behind --, but --exec is missing");
  DRS_RETURN_IF_ERROR(check_child_command(context.child_command));
  if (command.force && command.output.empty() && command.holes.map.empty())
    return Error(ErrorCode::kUsage, "--force needs --output: it allows to replace that file");
  if (command.consumer_may_stop && !command.exec)
    return Error(ErrorCode::kUsage,
                 "--consumer-may-stop needs --exec: only a consumer that drstream started shows how "
                 "it ended");
  if (!command.exec && command.output.empty() && ::isatty(STDOUT_FILENO) == 1)
    return Error(ErrorCode::kUsage,
                 "stdout is a terminal: pipe drstream into a consumer, or use --output FILE or --exec -- CMD...");
  DRS_RETURN_IF_ERROR(check_hole_choice(command.holes, command.output, command.exec));
  if (command.exec) return {};
  return check_stream_target(command.output, context.options.progress_fd);
}

std::uint64_t bytes_wanted(const PullCommand& command, const ManifestHeader& manifest) {
  const std::uint64_t rest = manifest.bytes - std::min(manifest.bytes, command.offset_bytes);
  return std::min(rest, command.length_bytes.value_or(rest));
}

// Opening a FIFO waits for a reader; a signal ends the wait.
Result<std::unique_ptr<Sink>> make_stdout_or_file_sink(const PullCommand& command, const CommandContext& context,
                                                       const ManifestHeader& manifest) {
  if (command.output.empty()) return make_stream_sink(STDOUT_FILENO, "stdout");
  std::error_code ignored;
  if (std::filesystem::is_fifo(command.output, ignored)) {
    DRS_ASSIGN_OR_RETURN(Fd fifo, open_fifo_to_write(command.output, context.cancel));
    return make_owned_stream_sink(std::move(fifo), "file " + command.output);
  }
  return make_file_sink(command.output, command.force ? Existing::kReplace : Existing::kRefuse, context.options.io,
                        bytes_wanted(command, manifest));
}

struct Target {
  std::unique_ptr<Sink> sink;
  const ConsumerSink* consumer = nullptr;  // of --exec; the same object
};

Result<Target> make_target(const PullCommand& command, const CommandContext& context, const ManifestHeader& manifest) {
  Target target;
  if (command.exec) {
    ConsumerOptions options;
    options.child = child_options(context.child_command);
    options.child.guardian = context.guardian;
    options.may_stop = command.consumer_may_stop;
    DRS_ASSIGN_OR_RETURN(auto consumer, make_child_sink(options));
    target.consumer = consumer.get();
    target.sink = std::move(consumer);
    return target;
  }
  Result<std::unique_ptr<Sink>> sink = make_stdout_or_file_sink(command, context, manifest);
  if (!sink.ok() && (sink.error().code == ErrorCode::kNotFound || sink.error().error_number == ENOTDIR))
    return Error(ErrorCode::kUsage, std::move(sink).error().message);
  DRS_ASSIGN_OR_RETURN(target.sink, std::move(sink));
  return target;
}

nlohmann::ordered_json pull_json(const Snapshot& snapshot, const PullReport& report, const std::string& sink,
                                 bool consumer_stopped) {
  nlohmann::ordered_json out;
  out["id"] = snapshot.id();
  out["stream"] = snapshot.manifest.stream;
  out["time"] = format_time_utc(snapshot.manifest.snapshot_ns);
  out["to"] = sink;
  out["bytes"] = report.bytes;
  out["whole"] = report.whole;
  if (report.whole && snapshot.manifest.sha256) out["sha256"] = snapshot.manifest.sha256->hex();
  out["consumer_stopped"] = consumer_stopped;
  out["read_bytes"] = report.read_bytes;
  out["decoded_bytes"] = report.decoded_bytes;
  out["blocks_healed"] = report.healed_blocks;
  out["hole_count"] = report.holes;
  out["holes_bytes"] = report.holes_bytes;
  out["seconds"] = report.elapsed.count();
  return out;
}

std::string summary_line(const Snapshot& snapshot, const PullReport& report, bool consumer_stopped) {
  const std::string what = fmt::format("pulled {} of {}, {},", snapshot.id(), snapshot.manifest.stream,
                                       format_time_local(snapshot.manifest.snapshot_ns));
  if (consumer_stopped)
    return fmt::format("{} seconds {:.2f}: the consumer stopped before the end and exited with 0", what,
                       report.elapsed.count());
  const std::string proof = report.holes > 0           ? holes_text(report)
                            : !report.whole            ? "range, its blocks checked"
                            : snapshot.manifest.sha256 ? "whole, SHA-256 agrees"
                                                       : "whole, XXH3 agrees";
  return fmt::format("{} bytes {} seconds {:.2f} ({})", what, report.bytes, report.elapsed.count(), proof);
}

void warn_of_blind_reader(const PullCommand& command, const CommandContext& context) {
  std::error_code ignored;
  const bool to_stdout = command.output.empty() || is_stdout(command.output);
  if (!to_stdout && !std::filesystem::is_fifo(command.output, ignored)) return;
  context.log.warn(
      "--allow-holes: the reader of a pipe cannot tell holes from data; exit code 8, these messages and --holes FILE "
      "do");
}

// `-o -` means stdout. A file of that name is ./-.
PullCommand with_stdout(PullCommand command) {
  if (!command.exec && command.output == "-") command.output.clear();
  return command;
}

Result<ExitCode> run_pull(CommandContext& context, const PullCommand& given) {
  const PullCommand command = with_stdout(given);
  // The consumer writes to our stdout as well.
  if (command.output.empty() || is_stdout(command.output)) context.output.yield_stdout();
  DRS_RETURN_IF_ERROR(check_sink_choice(command, context));
  Listing listing;
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kData, &listing));
  DRS_ASSIGN_OR_RETURN(const std::size_t memory_bytes, context.options.memory_bytes());
  DRS_ASSIGN_OR_RETURN(const PullMemory memory,
                       plan_pull({.memory_bytes = memory_bytes, .threads = context.options.thread_count()},
                                 needs_of(repository->store())));
  if (!memory.notice.empty()) context.log.info("{}", memory.notice);
  const SeenHeads seen(context, *repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*repository, listing));
  DRS_ASSIGN_OR_RETURN(const Snapshot* const snapshot, seen.find(catalog, command.selector));
  if (may_be_cut_short(snapshot->manifest))
    context.log.warn(
        "the producer of snapshot {} was unseen: the stream came through a plain pipe and may be incomplete; check the "
        "restored data",
        snapshot->id());
  DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
  DRS_ASSIGN_OR_RETURN(
      const auto map_file,
      open_hole_map(command.holes, command.force ? Existing::kReplace : Existing::kRefuse, context.options.io));
  DRS_ASSIGN_OR_RETURN(const Target target, make_target(command, context, snapshot->manifest));
  context.effect = CommandEffect::kRestores;
  Sink* const sink = target.sink.get();
  context.log.debug("{}: {}", sink->name(), sink->io_description());

  PullOptions range{command.offset_bytes, command.length_bytes, std::move(listing)};
  // --length is an upper limit; an --offset beyond the end remains an error.
  const bool begins_inside = command.offset_bytes <= snapshot->manifest.bytes;
  if (begins_inside && command.length_bytes) range.length_bytes = bytes_wanted(command, snapshot->manifest);
  HoleMap holes(command.holes.omit ? HoleFill::kOmitted : HoleFill::kZeros);
  if (command.holes.allow) {
    range.holes = &holes;
    warn_of_blind_reader(command, context);
  }
  if (map_file)
    range.before_commit = [&] {
      const std::uint64_t end_bytes = command.offset_bytes + bytes_wanted(command, snapshot->manifest);
      return write_hole_map(*map_file, *snapshot, {command.offset_bytes, end_bytes}, holes);
    };
  const auto started = context.clock.steady();
  ProgressCounters counters;
  counters.total_bytes = bytes_wanted(command, snapshot->manifest);
  auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "pull"), counters, context.console, context.clock);
    return pull(*repository, *snapshot, *sink, std::move(range), {memory, arena}, {counters, context.cancel});
  }();
  const bool consumer_stopped = target.consumer != nullptr && target.consumer->stopped_well();
  if (!report.ok()) {
    if (!consumer_stopped || report.error().code != ErrorCode::kSinkClosed) return std::move(report).error();
    report = PullReport{.bytes = counters.bytes, .elapsed = context.clock.steady() - started};
  }
  if (report->healed_blocks > 0)
    context.log.warn("{} {} rebuilt from other copies of chunks; run `drstream verify --read-data`",
                     counted(report->healed_blocks, "lost or damaged block"),
                     report->healed_blocks == 1 ? "was" : "were");
  nlohmann::ordered_json document = pull_json(*snapshot, *report, sink->name(), consumer_stopped);
  if (!holes.holes().empty()) document["holes"] = first_holes_json(holes);
  document["requests"] = request_counts_json(repository->store().request_counts());
  for (const std::string& line : hole_warnings(holes, snapshot->manifest, command.holes)) context.log.warn("{}", line);
  const ExitCode code = report->holes > 0 ? ExitCode::kRestoreIncomplete : ExitCode::kOk;
  context.output.document("drstream.pull/1", static_cast<int>(code), document);
  context.output.remark(context.output.on_terminal() ? restored_text(snapshot->manifest, *report, consumer_stopped)
                                                     : summary_line(*snapshot, *report, consumer_stopped));
  return code;
}

}  // namespace

void add_pull_command(CommandSet& commands) {
  const auto command = std::make_shared<PullCommand>();
  CLI::App* const app =
      add_subcommand(commands.root(), "pull", "Restore a snapshot: to stdout, into a command, or to a file",
                     "  drstream pull pg/app --exec -- pg_restore -d new\n"
                     "  drstream pull pg/app@2026-11-20T02:00 --exec -- pg_restore -d new\n"
                     "  drstream pull pg/app --consumer-may-stop --exec -- pg_restore -l\n"
                     "  drstream pull pg/app@latest -o app.dump\n"
                     "  drstream pull 3f9c01d2 -o part.bin --offset 1GiB --length 64MiB\n"
                     "  drstream pull pg/app | pg_restore -d new; echo ${PIPESTATUS[*]}\n"
                     "  drstream pull 3f9c01d2 -o app.dump --allow-holes --holes holes.json\n"
                     "With --exec the consumer sees the end of its input only once everything was\n"
                     "checked, and is killed otherwise. Behind a pipe it takes the end of a broken\n"
                     "restore for the end of the data: both values of PIPESTATUS must be 0,\n"
                     "otherwise drop the restored data.\n");
  app->add_option(
         "SNAPSHOT", command->selector,
         "A stream or stream@latest (what was pushed to it last), stream@TIME (its newest at or before the end of "
         "that second, minute or day), an id or its first 8 or more digits")
      ->required()
      ->type_name("");
  add_text(*app, "-o,--output", command->output, "FILE",
           "Write a file, under a temporary name until it is complete and checked; - means stdout");
  add_flag(*app, "--force", command->force,
           "Replace the files of --output and --holes if there are any, or overwrite a block device");
  add_flag(*app, "--exec", command->exec,
           "Feed the command behind --; it is killed if the stream turns out to be damaged, or if drstream dies");
  add_flag(*app, "--consumer-may-stop", command->consumer_may_stop,
           "With --exec: accept a command that exits with 0 before it has read everything (default: exit 8); for "
           "pg_restore -l");
  add_parsed(*app, "--offset", command->offset_bytes, parse_size, "SIZE", "Begin at this offset");
  add_parsed(*app, "--length", command->length_bytes, parse_size, "SIZE", "Restore at most this much");
  add_flag(*app, "--allow-holes", command->holes.allow,
           "Restore what damage has left: lost bytes become zeros, stderr names them, and the exit code is 8; not with "
           "--exec");
  add_flag(*app, "--omit-holes", command->holes.omit,
           "With --allow-holes: leave lost bytes out of the output, which moves what follows");
  add_text(*app, "--holes", command->holes.map, "FILE",
           "With --allow-holes: write a map of the lost ranges of bytes, as JSON; it is complete before the output is");
  commands.add({
      .app = app,
      .effect = CommandEffect::kWillRestore,
      .run = [command](CommandContext& context) { return run_pull(context, *command); },
      .takes_child_command = true,
      .metrics = add_run_metrics(*app, "restore"),
      .reports = add_reports(*app),
  });
}

}  // namespace drs
