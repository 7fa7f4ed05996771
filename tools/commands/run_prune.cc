#include "tools/commands/run_prune.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "tools/cli/option_builder.h"
#include "tools/commands/prune_results.h"
#include "tools/output/progress.h"
#include "tools/output/quantity_text.h"

namespace drs {
namespace {

constexpr MetricFamily kLiveBytes{"drstream_prune_live_bytes", "What snapshots need, before the last prune."};
constexpr MetricFamily kDeadBytes{"drstream_prune_dead_bytes", "What no snapshot needs, before the last prune."};
constexpr MetricFamily kWaitingBytes{"drstream_prune_waiting_bytes", "What will be deleted once pushes have ended."};

}  // namespace

void add_prune_options(CLI::App& app, PruneOptions& options) {
  // What takes data away must not be misread: seconds for days, or minutes for months.
  const auto duration = [](std::string_view text) -> Result<std::chrono::nanoseconds> {
    DRS_ASSIGN_OR_RETURN(const std::chrono::milliseconds parsed, parse_duration(text));
    const bool has_no_unit = text.find_first_not_of("0123456789") == std::string_view::npos;
    if ((has_no_unit && parsed.count() != 0) || text.ends_with('m'))
      return Error(ErrorCode::kUsage, "'" + std::string(text) +
                                          "' could be read in two ways: give hours, days or weeks, "
                                          "such as 48h, 7d or 2w");
    return std::chrono::nanoseconds(parsed);
  };
  add_parsed(app, "--min-age", options.age_min, duration, "DURATION",
             "Condemn no pack that is younger; in h, d or w (default: 48h)");
  add_parsed(app, "--grace", options.grace, duration, "DURATION",
             "Time between condemning and deleting, for restores under way; in h, d or w (default: 20h)");
  add_parsed(app, "--undo", options.undo, duration, "DURATION",
             "Keep the data of a forgotten snapshot this long, for `drstream unforget`; in h, d or w (default: 7d)");
}

Result<PruneReport> prune_and_print(CommandContext& context, Repository& repository, const PruneOptions& options) {
  ProgressCounters counters;
  auto report = [&] {
    const ProgressReporter reporter(progress_options(context, "prune"), counters, context.console, context.clock);
    return prune(repository, options, {counters, context.cancel});
  }();
  if (!report.ok()) return report;
  for (const std::string& problem : report->problems) context.log.warn("{}", problem);
  if (!report->housekeeping.unjoined.empty())
    context.log.warn("records of sweeps were not joined, so that reading them takes longer: {}",
                     report->housekeeping.unjoined);
  if (!context.options.log.quiet || options.dry_run || exit_code_of(*report) != ExitCode::kOk)
    context.output.text(prune_text(*report, prune_mode(options)));
  if (exit_code_of(*report) != ExitCode::kOk)
    context.log.warn(
        "what cannot be read may need anything, so its data stays: look for it in a copy of the repository first; "
        "`drstream forget --damaged NAME` gives up a manifest that is damaged or gone");
  return report;
}

ExitCode exit_code_of(const PruneReport& report) {
  return report.problems.empty() ? ExitCode::kOk : ExitCode::kDamage;
}

Result<ExitCode> run_prune(CommandContext& context, Repository& repository, const PruneOptions& options,
                           RunMetrics& metrics) {
  DRS_ASSIGN_OR_RETURN(const PruneReport report, prune_and_print(context, repository, options));
  std::uint64_t waiting_bytes = 0;
  for (const WaitingDeletion& waiting : report.waiting) waiting_bytes += waiting.bytes;
  metrics.figures = {{kLiveBytes, static_cast<double>(report.space.live_bytes)},
                     {kDeadBytes, static_cast<double>(report.space.dead_bytes)},
                     {kWaitingBytes, static_cast<double>(waiting_bytes)}};
  const ExitCode code = exit_code_of(report);
  context.output.document("drstream.prune/1", static_cast<int>(code), prune_json(report, prune_mode(options)));
  return code;
}

}  // namespace drs
