// drstream status: whether every stream has a good snapshot that is recent enough, and was proven. Reads manifests and
// records of sweeps, no data.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/format/names.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/status_results.h"
#include "tools/config/configuration.h"
#include "tools/config/stream_table.h"
#include "tools/output/metrics_push.h"
#include "tools/output/quantity_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

constexpr std::chrono::milliseconds kProofWindow = std::chrono::days(30);
constexpr auto kPassOver = PackCatalog::UnreadableCondemned::kPassOver;

enum class StatusFormat : std::uint8_t { kText, kNagios };

struct StatusCommand {
  std::string stream;
  std::optional<std::chrono::milliseconds> newest_within, verified_within;
  StatusFormat format = StatusFormat::kText;
  std::string metrics;  // a file
  MetricsPush push;
  [[nodiscard]] bool wants_metrics() const { return !metrics.empty() || !push.url.empty(); }
};

std::vector<LostStream> lost_streams(const SeenHeads& seen, const SnapshotCatalog& catalog) {
  std::map<std::string, std::size_t> counts;
  for (const LostSnapshot& lost : seen.lost(catalog)) ++counts[lost.stream];
  std::vector<LostStream> out;
  for (const auto& [stream, snapshots] : counts) out.push_back({stream, snapshots});
  return out;
}

// The packs that marks name, but for those that a prune will delete or has deleted: nothing needs them.
Result<std::size_t> count_damaged_packs(Repository& repository, Listing& listing) {
  DRS_ASSIGN_OR_RETURN(const Listing::Objects marks, listing.take(repository.store(), ObjectKind::kDamaged));
  if (marks.empty()) return std::size_t{0};
  DRS_ASSIGN_OR_RETURN(const CondemnedList condemned, PackCatalog::load_condemned(repository, kPassOver));
  std::set<Digest> packs;
  for (const ObjectInfo& mark : marks)
    if (const auto name = parse_name(mark.key); name) packs.insert(name->digest);
  for (const Digest& pack : condemned.packs) packs.erase(pack);
  return packs.size();
}

bool any_expects_proof(std::span<const Expectation> expectations) {
  return std::ranges::any_of(expectations, [](const Expectation& one) { return one.verified_within.has_value(); });
}

bool any_failed(const Evidence& evidence, const SnapshotCatalog& catalog) {
  return evidence.structure_failed_ns() != 0 || std::ranges::any_of(catalog.live, [&](const Snapshot& snapshot) {
           const RebuildProof* const rebuilt = evidence.rebuilt(snapshot.digest);
           return rebuilt != nullptr && !rebuilt->well;
         });
}

// Lists all packs, which a monitor that asks every few minutes need not: then only if a limit asks for it, or if a
// sweep has found something.
Result<void> look_at_proofs(CommandContext& context, const StatusCommand& command, Repository& repository,
                            StatusReport& report) {
  const auto& expectations = context.configuration.expectations;
  const bool asks = command.format != StatusFormat::kNagios || command.wants_metrics() || command.verified_within ||
                    any_expects_proof(expectations);
  DRS_ASSIGN_OR_RETURN(Evidence evidence, Evidence::load(repository));
  for (const Evidence::Unreadable& record : evidence.unreadable()) {
    report.warnings.push_back(record.name + ": what sweeps have proven by it counts as unproven: " + record.problem);
    context.log.warn("{}", report.warnings.back());
  }
  if (!asks && !any_failed(evidence, report.catalog)) return {};
  DRS_ASSIGN_OR_RETURN(const PackCatalog packs, PackCatalog::load(repository, kPassOver));
  const WallNs now_ns = context.clock.wall_ns();
  report.proof.emplace(std::move(evidence), packs.packs(), now_ns);
  report.proof_window = command.verified_within.value_or(kProofWindow);
  // What a sweep has found, also where nobody may write marks or somebody has removed them.
  report.faults.damaged_packs =
      std::max<std::size_t>(report.faults.damaged_packs, report.proof->coverage(report.proof_window).damaged_packs);
  report.faults.structure_failed_ns = report.proof->evidence().structure_failed_ns();
  judge_proofs(report.streams, report.catalog, *report.proof,
               {command.newest_within, command.verified_within, expectations}, now_ns);
  return {};
}

Result<StatusReport> look(CommandContext& context, const StatusCommand& command) {
  Listing listing;
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, Reads::kSnapshots, &listing));
  const SeenHeads seen(context, *repository);
  StatusReport report;
  DRS_ASSIGN_OR_RETURN(report.catalog, seen.load_snapshots(*repository, listing));
  const SnapshotCatalog& catalog = report.catalog;
  report.repository = repository->config().repository.hex();
  DRS_ASSIGN_OR_RETURN(report.faults.damaged_packs, count_damaged_packs(*repository, listing));
  report.warnings = seen.warn_of(catalog);
  report.streams = judge_streams(stream_states(catalog), lost_streams(seen, catalog),
                                 {command.newest_within, command.verified_within, context.configuration.expectations},
                                 context.clock.wall_ns());
  report.faults.is_empty_under_limit = report.streams.empty() && (command.newest_within || command.verified_within);
  DRS_RETURN_IF_ERROR(look_at_proofs(context, command, *repository, report));
  if (command.stream.empty()) return report;
  std::erase_if(report.streams, [&](const StreamVerdict& one) {
    return one.state.stream != command.stream && !stream_matches(command.stream, one.state.stream);
  });
  if (!report.streams.empty()) return report;
  if (is_stream_pattern(command.stream)) DRS_RETURN_IF_ERROR(seen.match(catalog, command.stream));
  DRS_RETURN_IF_ERROR(seen.find(catalog, command.stream + "@latest"));
  return report;
}

// What was known before a status that failed stays.
void write_metrics(CommandContext& context, const StatusCommand& command, const Result<StatusReport>& report) {
  if (!command.wants_metrics()) return;
  const std::string repository = metrics_repository(context.options);
  const double now = static_cast<double>(context.clock.wall_ns()) / 1e9;
  MetricsText metrics =
      report.ok() ? status_metrics(*report, repository, now)
                  : failed_status_metrics(repository, exit_status_of(report.error(), context.signals.received()));
  if (!command.push.url.empty() && command.stream.empty())
    warn_of_unwritten_metrics(push_metrics(command.push, {{"repository", repository}, {"command", "status"}}, metrics,
                                           context.options.cloud.ca_file),
                              context.log);
  if (command.metrics.empty()) return;
  if (!report.ok()) metrics.keep_others_of(read_metrics_file(command.metrics));
  warn_of_unwritten_metrics(write_metrics_file(command.metrics, metrics), context.log);
}

// What a report says of an answer to Nagios, which has a form and exit codes of its own.
void record_answer(CommandContext& context, const Result<StatusReport>& report) {
  if (report.ok()) {
    context.output.record("drstream.status/1", static_cast<int>(report->exit_code()),
                          status_json(*report, context.clock.wall_ns()));
    return;
  }
  const int exit_status = exit_status_of(report.error(), context.signals.received());
  context.output.record("drstream.error/1", exit_status,
                        failure_json(explain(report.error(), context.effect, exit_status), "status"));
}

// Errors: kUsage.
Result<void> check_choices(const CommandContext& context, const StatusCommand& command) {
  if (command.format == StatusFormat::kNagios && context.options.json)
    return Error(ErrorCode::kUsage, "--format nagios and --json exclude each other: each is the whole of stdout");
  if (!command.metrics.empty()) DRS_RETURN_IF_ERROR(check_metrics_file(command.metrics));
  if (!command.metrics.empty() && !command.stream.empty())
    return Error(ErrorCode::kUsage, "--metrics is for all streams: give no STREAM");
  if (!command.push.url.empty()) DRS_RETURN_IF_ERROR(check_metrics_push(command.push));
  return {};
}

Result<ExitCode> run_status(CommandContext& context, const StatusCommand& command) {
  const bool for_nagios = command.format == StatusFormat::kNagios;
  DRS_RETURN_IF_ERROR(check_choices(context, command));
  auto report = look(context, command);
  write_metrics(context, command, report);
  const WallNs now_ns = context.clock.wall_ns();
  if (for_nagios) {
    record_answer(context, report);
    const NagiosAnswer answer = report.ok() ? nagios_answer(*report, now_ns) : nagios_answer(report.error());
    context.output.page(answer.line + "\n");
    return static_cast<ExitCode>(answer.exit_status);
  }
  if (!report.ok()) return std::move(report).error();
  const ExitCode code = report->exit_code();
  context.output.document("drstream.status/1", static_cast<int>(code), status_json(*report, now_ns));
  if (!context.options.log.quiet)
    context.output.text(status_text(*report, context.output.columns_max(), now_ns));
  else if (code != ExitCode::kOk)
    context.output.text(status_problems_text(*report, now_ns));
  return code;
}

}  // namespace

void add_status_command(CommandSet& commands) {
  const auto command = std::make_shared<StatusCommand>();
  CLI::App* const app =
      add_subcommand(commands.root(), "status", "Show whether every stream is backed up recently and well",
                     "  drstream status --newest-within 25h\n"
                     "  drstream status pg/ --json\n"
                     "  drstream status --newest-within 25h --format nagios\n");
  refuse_empty(app->add_option("STREAM", command->stream,
                               "Only this stream; a name that ends in / means all streams below it; or a pattern")
                   ->type_name(""));
  add_parsed(*app, "--newest-within", command->newest_within, parse_duration, "DURATION",
             "The age that the newest good snapshot of each stream may have; older ones are exit 15. "
             "Default: as [[expect]] tables of the configuration say, else any age");
  add_parsed(*app, "--verified-within", command->verified_within, parse_duration, "DURATION",
             "Everything that was stored longer ago was read and found intact within this time, or a snapshot of the "
             "stream was rebuilt within it; else exit 15. Default: as [[expect]] tables say, else no limit; the "
             "coverage is then that of 30d");
  add_text(*app, "--metrics", command->metrics, "FILE",
           "Write metrics for node_exporter's textfile collector; its name ends in .prom");
  add_metrics_push(*app, command->push);
  add_choice<StatusFormat>(
      *app, "--format", command->format, {{"text", StatusFormat::kText}, {"nagios", StatusFormat::kNagios}},
      "text (default); nagios: one line and figures, exit codes 0 to 3 as Nagios and its kin want; not with --json");
  commands.add({
      .app = app,
      .effect = CommandEffect::kReads,
      .run = [command](CommandContext& context) { return run_status(context, *command); },
      .reports = add_reports(*app),
  });
}

}  // namespace drs
