// drstream sweep: proves what was proven longest ago, within a budget, and records it for the next sweep and for
// status.
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/pipeline/memory_plan.h"
#include "io/idle_priority.h"
#include "tools/cli/identity.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/findings.h"
#include "tools/commands/sweep_results.h"
#include "tools/output/quantity_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"
#include "tools/repository/sweep_cursor.h"

namespace drs {
namespace {

constexpr std::chrono::milliseconds kVerifiedWithin = std::chrono::days(30);
constexpr MetricFamily kReadBytes{"drstream_sweep_read_bytes", "Stored bytes that the last sweep read."};
constexpr MetricFamily kLeftBytes{"drstream_sweep_left_bytes", "Stored bytes that were due and that it left."};
constexpr std::uint32_t kShardsMax = 4096;

struct SweepCommand {
  std::vector<Budget> budgets;
  std::chrono::milliseconds verified_within = kVerifiedWithin;
  SweepLevel level = SweepLevel::kDecode;
  std::string shard;
  bool idle = false;
  bool read_only = false;
  bool warn_exit = false;
};

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "2/4"; or "4", with the number of a pod of an Indexed Job, which counts from 0.
Result<SweepShard> shard_of(const std::string& text) {
  if (text.empty()) return SweepShard{};
  const std::size_t slash = text.find('/');
  const auto count = number_of(std::string_view(text).substr(slash == std::string::npos ? 0 : slash + 1));
  std::optional<std::uint32_t> number;
  if (slash != std::string::npos) {
    number = number_of(std::string_view(text).substr(0, slash));
  } else {
    const char* const index = std::getenv("JOB_COMPLETION_INDEX");
    if (index == nullptr)
      return Error(ErrorCode::kUsage, fmt::format("--shard {} takes the number from JOB_COMPLETION_INDEX, which is not "
                                                  "set: give --shard I/{}, I from 1",
                                                  text, text));
    number = number_of(index);
    if (number) ++*number;
  }
  if (!count || !number || *count < 1 || *count > kShardsMax || *number < 1 || *number > *count)
    return Error(ErrorCode::kUsage,
                 fmt::format("--shard {} is not one of the shards 1/N to N/N, N at most {}", text, kShardsMax));
  return SweepShard{*number, *count};
}

Result<SweepOptions> options_of(const CommandContext& context, const SweepCommand& command) {
  SweepOptions options;
  options.level = command.level;
  options.verified_within = command.verified_within;
  for (const Budget& budget : command.budgets) {
    if ((budget.bytes && options.budget_bytes) || (budget.time && options.budget_time))
      return Error(ErrorCode::kUsage, "--budget is given twice for the same: give at most one size and one time");
    if (budget.bytes) options.budget_bytes = budget.bytes;
    if (budget.time) options.budget_time = *budget.time;
  }
  DRS_ASSIGN_OR_RETURN(options.shard, shard_of(command.shard));
  options.read_only = command.read_only;
  DRS_ASSIGN_OR_RETURN(options.memory_bytes, context.options.memory_bytes());
  options.threads = context.options.thread_count();
  DRS_ASSIGN_OR_RETURN(const PullMemory memory,
                       plan_pull({.memory_bytes = options.memory_bytes, .threads = options.threads}));  // the floor
  if (!memory.notice.empty()) context.log.info("{}", memory.notice);
  options.host = host_name().substr(0, kVerifiedTextBytesMax);
  options.tool = version_line().substr(0, kVerifiedTextBytesMax);
  return options;
}

Result<SweepReport> sweep_with_key(CommandContext& context, Repository& repository, const SweepOptions& options,
                                   ProgressCounters& counters) {
  const SeenHeads seen(context, repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(repository));
  auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "sweep"), counters, context.console, context.clock);
    return sweep(repository, catalog, options, counters, context.cancel);
  }();
  if (!report.ok()) return report;
  for (const LostSnapshot& lost : seen.lost(catalog)) {
    Finding finding;
    finding.severity = Finding::Severity::kDeletion;
    finding.object = lost.manifest_name.empty() ? "head of " + lost.stream : lost.manifest_name;
    finding.problem = lost.problem;
    report->checked.findings.push_back(std::move(finding));
  }
  return report;
}

Result<SweepReport> sweep_without_key(CommandContext& context, const RepositoryLocation& place,
                                      const SweepOptions& options, ProgressCounters& counters) {
  if (context.options.state_dir.empty())
    return Error(ErrorCode::kUsage, "a sweep without a key keeps where it left off in --state-dir, and there is none");
  DRS_ASSIGN_OR_RETURN(const auto store, open_store(context, place));
  SweepCursorFile cursor(context.options.state_dir, location_address(place, context.cancel), options.shard);
  const ProgressReporter reporter(progress_options(context, "sweep"), counters, context.console, context.clock);
  return sweep_keyless(*store, context.clock, options, cursor, counters, context.cancel);
}

// Null: the repository is encrypted, and no key was given. Then digests alone can be compared.
Result<std::unique_ptr<Repository>> open_if_possible(CommandContext& context, const RepositoryLocation& place,
                                                     SweepLevel level) {
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, place));
  if (level == SweepLevel::kDigest && secret.kind == SlotKind::kClear) {
    DRS_ASSIGN_OR_RETURN(auto store, open_store(context, place));
    const auto opened = Repository::open(std::move(store), context.clock, secret, best_crypto_backend());
    if (!opened.ok() && opened.error().code == ErrorCode::kWrongKey) return std::unique_ptr<Repository>();
  }
  return open_repository(context, place, secret, Reads::kStored);
}

// Of a run that ended early: a signal decides, then what it has found.
ExitCode ended_code(const CommandContext& context, const Error& ended, ExitCode found) {
  const bool grave = found == ExitCode::kDamage || found == ExitCode::kRollback || found == ExitCode::kFormatTooNew;
  if (grave && ended.code != ErrorCode::kCancelled) return found;
  return static_cast<ExitCode>(exit_status_of(ended, context.signals.received()));
}

Result<ExitCode> run_sweep(CommandContext& context, const SweepCommand& command, RunMetrics& metrics) {
  DRS_ASSIGN_OR_RETURN(const SweepOptions options, options_of(context, command));
  if (command.idle)
    if (const auto idle = run_when_idle(); !idle.ok())
      context.log.warn("--idle has no full effect: {}", idle.error().message);
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
  DRS_ASSIGN_OR_RETURN(const auto repository, open_if_possible(context, place, command.level));
  SweepRun run{.report = {},
               .level = command.level,
               .verified_within = command.verified_within,
               .shard = options.shard,
               .budget_bytes = options.budget_bytes,
               .budget_time = {},
               .keyless = repository == nullptr,
               .recorded = !command.read_only};
  if (options.budget_time)
    run.budget_time = std::chrono::duration_cast<std::chrono::milliseconds>(*options.budget_time);
  ProgressCounters counters;
  DRS_ASSIGN_OR_RETURN(run.report, run.keyless ? sweep_without_key(context, place, options, counters)
                                               : sweep_with_key(context, *repository, options, counters));
  const SweepReport& report = run.report;
  metrics.figures = {{kReadBytes, static_cast<double>(report.checked.bytes_read)},
                     {kLeftBytes, static_cast<double>(report.left_bytes)}};
  if (report.checked.marked > 0 || report.records > 0) warn_of_other_owner(context, place);
  const ExitCode found =
      exit_code_of(report.checked.findings, command.warn_exit ? WarningPolicy::kFail : WarningPolicy::kPass);
  const ExitCode code = !report.ended ? found : ended_code(context, *report.ended, found);
  context.output.document("drstream.sweep/1", static_cast<int>(code), sweep_json(run));
  if (context.options.log.quiet && report.checked.findings.empty() && !report.ended) return code;
  if (report.ended) context.log.warn("the sweep ended early: {}", report.ended->message);
  context.output.text(findings_text(report.checked.findings, RangeDetail::kCounted) +
                      damaged_snapshots_text(report.checked) + hit_streams_text(report.checked) + sweep_text(run));
  context.output.text(sweep_verdict(run, code), verdict_tone(code));
  return code;
}

}  // namespace

void add_sweep_command(CommandSet& commands) {
  const auto command = std::make_shared<SweepCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "sweep", "Prove what was proven longest ago, and record it",
                                       "  drstream sweep --budget 45m\n"
                                       "  drstream sweep --budget 200GiB --verified-within 30d --idle\n"
                                       "  drstream sweep --level rebuild --budget 2h\n"
                                       "  drstream sweep --shard 2/4\n");
  app->add_option_function<std::vector<std::string>>(
         "--budget",
         [command](const std::vector<std::string>& texts) {
           for (const std::string& text : texts)
             if (const auto budget = parse_budget(text); budget.ok()) command->budgets.push_back(*budget);
         },
         "Read no more than this, 200GiB, or begin no reading after this time, 45m, but at least one pack; give it "
         "twice "
         "for both")
      ->type_name("SIZE|DURATION")
      ->allow_extra_args(false)
      ->check(CLI::Validator(
          [](std::string& text) {
            const auto budget = parse_budget(text);
            return budget.ok() ? std::string() : budget.error().message;
          },
          "", ""));
  add_parsed(*app, "--verified-within", command->verified_within, parse_duration, "DURATION",
             "Leave out what was proven within this time (default 30d)");
  add_choice<SweepLevel>(
      *app, "--level", command->level,
      {{"digest", SweepLevel::kDigest}, {"decode", SweepLevel::kDecode}, {"rebuild", SweepLevel::kRebuild}},
      "digest: compare packs with their names, which needs no key; decode (default): and decode every block; rebuild: "
      "read whole snapshots and compare their SHA-256, oldest proof first");
  add_text(*app, "--shard", command->shard, "I/N",
           "Only the Ith of N parts, so that N machines share the work; N alone takes I from JOB_COMPLETION_INDEX");
  add_flag(*app, "--idle", command->idle, "Use processor and disk only while nothing else wants them");
  add_flag(*app, "--read-only", command->read_only, "Record neither what was proven nor marks of damage");
  add_flag(*app, "--warn-exit", command->warn_exit, "Exit 9 where there are only warnings");
  const auto metrics = add_run_metrics(*app, "sweep");
  commands.add({
      .app = app,
      .effect = CommandEffect::kSweeps,
      .run = [command, metrics](CommandContext& context) { return run_sweep(context, *command, *metrics); },
      .metrics = metrics,
      .reports = add_reports(*app),
  });
}

}  // namespace drs
