// drstream pull: a snapshot, or a range of it, back out.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/pipeline/pull.h"
#include "io/child_sink.h"
#include "io/file_sink.h"
#include "io/stream_sink.h"
#include "tools/command.h"
#include "tools/keys.h"
#include "tools/open_repository.h"
#include "tools/option_builder.h"
#include "tools/request_counts_text.h"
#include "tools/selector_text.h"
#include "tools/size_text.h"
#include "tools/time_text.h"

namespace drs {
namespace {

struct PullCommand {
  std::string selector;
  std::string output;
  bool force = false;
  bool exec = false;
  std::uint64_t offset_bytes = 0;
  std::optional<std::uint64_t> length_bytes;
};

Result<void> check_sink_choice(const PullCommand& command, const CommandContext& context) {
  const bool has_child = !context.child_command.empty();
  if (command.exec && !command.output.empty())
    return Error{ErrorCode::kUsage, "--exec and --output exclude each other"};
  if (command.exec && !has_child)
    return Error{ErrorCode::kUsage,
                 "--exec needs the consumer behind --, such as: drstream pull pg/app --exec -- pg_restore -d new"};
  if (!command.exec && has_child) return Error{ErrorCode::kUsage, "a command stands behind --, but --exec is missing"};
  if (command.force && command.output.empty())
    return Error{ErrorCode::kUsage, "--force says that a file may be replaced: it needs --output"};
  if (!command.exec && command.output.empty() && ::isatty(STDOUT_FILENO) == 1)
    return Error{ErrorCode::kUsage,
                 "stdout is a terminal: pipe drstream into a consumer, or use --output FILE or --exec -- CMD..."};
  return {};
}

std::uint64_t bytes_wanted(const PullCommand& command, const Manifest& manifest) {
  const std::uint64_t rest = manifest.bytes - std::min(manifest.bytes, command.offset_bytes);
  return std::min(rest, command.length_bytes.value_or(rest));
}

Result<std::unique_ptr<Sink>> make_sink(const PullCommand& command, const CommandContext& context,
                                        const Manifest& manifest) {
  if (command.exec) {
    ChildOptions child;
    child.argv = context.child_command;
    child.environment_remove.assign(key_variable_names().begin(), key_variable_names().end());
    return make_child_sink(child);
  }
  if (command.output.empty()) return make_stream_sink(STDOUT_FILENO, "stdout");
  auto sink = make_file_sink(command.output, command.force, context.options.io, bytes_wanted(command, manifest));
  if (!sink.ok() && sink.error().code == ErrorCode::kNotFound)
    return Error{ErrorCode::kUsage, std::move(sink).error().message};
  return sink;
}

nlohmann::ordered_json pull_json(const Snapshot& snapshot, const PullReport& report, const std::string& sink) {
  nlohmann::ordered_json out;
  out["id"] = snapshot.id();
  out["stream"] = snapshot.manifest.stream;
  out["time"] = format_time_utc(snapshot.manifest.snapshot_ns);
  out["to"] = sink;
  out["bytes"] = report.bytes;
  out["whole"] = report.whole;
  if (report.whole && snapshot.manifest.sha256) out["sha256"] = snapshot.manifest.sha256->hex();
  out["read_bytes"] = report.read_bytes;
  out["decoded_bytes"] = report.decoded_bytes;
  out["healed_blocks"] = report.healed_blocks;
  out["seconds"] = report.seconds;
  return out;
}

std::string summary_line(const Snapshot& snapshot, const PullReport& report) {
  const char* const proof = !report.whole              ? "range, its blocks checked"
                            : snapshot.manifest.sha256 ? "whole, SHA-256 agrees"
                                                       : "whole, XXH3 agrees";
  return fmt::format("pulled {} of {} bytes {} seconds {:.2f} ({})", snapshot.id(), snapshot.manifest.stream,
                     report.bytes, report.seconds, proof);
}

Result<ExitCode> run_pull(CommandContext& context, const PullCommand& command) {
  // The consumer writes to our stdout as well.
  if (command.output.empty()) context.output.yield_stdout();
  DRS_RETURN_IF_ERROR(check_sink_choice(command, context));
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kData));
  DRS_ASSIGN_OR_RETURN(const PullMemory memory,
                       plan_pull(static_cast<std::size_t>(context.options.memory_bytes), context.options.thread_count(),
                                 needs_of(repository->store())));
  if (!memory.notice.empty()) context.log.info("{}", memory.notice);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, load_snapshots(*repository));
  DRS_ASSIGN_OR_RETURN(const Snapshot* const snapshot,
                       find_snapshot(catalog, command.selector, context.clock.wall_ns()));
  DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
  DRS_ASSIGN_OR_RETURN(const auto sink, make_sink(command, context, snapshot->manifest));
  context.log.debug("{}: {}", sink->name(), sink->io_description());

  PullOptions range{command.offset_bytes, command.length_bytes};
  // --length is "at most"; an --offset behind the end stays the error that it is.
  const bool begins_inside = command.offset_bytes <= snapshot->manifest.bytes;
  if (begins_inside && command.length_bytes) range.length_bytes = bytes_wanted(command, snapshot->manifest);
  ProgressCounters counters;
  counters.total_bytes = bytes_wanted(command, snapshot->manifest);
  auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "pull"), counters, context.console, context.clock);
    return pull(*repository, *snapshot, *sink, range, memory, arena, counters, context.cancel);
  }();
  if (!report.ok()) return std::move(report).error();
  if (report->healed_blocks > 0)
    context.log.warn(
        "{} lost or damaged blocks were rebuilt from other copies of their chunks; run `drstream verify "
        "--read-data`",
        report->healed_blocks);
  nlohmann::ordered_json document = pull_json(*snapshot, *report, sink->name());
  document["requests"] = request_counts_json(repository->store().request_counts());
  context.output.document("drstream.pull/1", document);
  context.output.remark(summary_line(*snapshot, *report));
  return ExitCode::kOk;
}

}  // namespace

void add_pull_command(CommandSet& commands) {
  const auto command = std::make_shared<PullCommand>();
  CLI::App* const app =
      add_subcommand(commands.root(), "pull", "Restore a snapshot: to stdout, into a command, or to a file",
                     "  drstream pull pg/app | pg_restore -d new\n"
                     "  drstream pull pg/app@2026-11-20T02:00 --exec -- pg_restore -d new\n"
                     "  drstream pull pg/app@latest -o app.dump\n"
                     "  drstream pull 3f9c -o part.bin --offset 1GiB --length 64MiB\n");
  app->add_option("SNAPSHOT", command->selector,
                  "A stream (its latest), stream@latest, stream@TIME (the newest at or before it), an id or its "
                  "beginning")
      ->required()
      ->type_name("");
  add_text(*app, "-o,--output", command->output, "FILE",
           "Write a file: under a temporary name, renamed when it is whole and checked");
  add_flag(*app, "--force", command->force, "Replace the file of --output if there is one");
  add_flag(*app, "--exec", command->exec,
           "Feed the command behind --; it is killed if the stream turns out to be damaged");
  add_parsed(*app, "--offset", command->offset_bytes, parse_size, "SIZE", "Begin here");
  add_parsed(*app, "--length", command->length_bytes, parse_size, "SIZE", "At most this much");
  commands.add({app, CommandEffect::kRestores, true,
                [command](CommandContext& context) { return run_pull(context, *command); }});
}

}  // namespace drs
