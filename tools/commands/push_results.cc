#include "tools/commands/push_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/output/hold_text.h"
#include "tools/output/snapshot_json.h"
#include "tools/output/stats_text.h"
#include "tools/output/summary_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

Head head_of(const PushReport& report) {
  return {report.manifest.stream,
          report.manifest.sequence,
          report.manifest_digest,
          report.manifest_name,
          report.manifest.finished_ns,
          {},
          {}};
}

std::string summary_line(const PushReport& report) {
  const ManifestHeader& manifest = report.manifest;
  const std::string ratio =
      manifest.stored_bytes == 0
          ? "-"
          : fmt::format("{:.2f}", static_cast<double>(manifest.bytes) / static_cast<double>(manifest.stored_bytes));
  return fmt::format("snapshot {} stream {} bytes {} sha256 {} new {} stored {} ratio {} seconds {:.2f} producer: {}",
                     manifest.session.hex(), manifest.stream, manifest.bytes,
                     manifest.sha256 ? manifest.sha256->hex() : "-", manifest.new_bytes, manifest.stored_bytes, ratio,
                     report.elapsed.count(), manifest.producer == ProducerKind::kUnseen ? "unseen" : "seen");
}

const HeldSnapshot* hold_of(const PushDestination& destination) {
  const bool held = destination.hold && destination.hold->ok() && (*destination.hold)->held;
  return held ? &*(*destination.hold)->held : nullptr;
}

// Why the push, or the hold of its snapshot, failed; nullptr if neither did.
const Error* failure_of(const PushDestination& destination, const Result<PushReport>& result) {
  if (!result.ok()) return &result.error();
  return destination.hold && !destination.hold->ok() ? &destination.hold->error() : nullptr;
}

nlohmann::ordered_json push_json(const PushReport& report, const PushDestination& destination) {
  nlohmann::ordered_json out = snapshot_json(report.manifest_name, report.manifest_digest, report.manifest);
  out["head"] = format_head(head_of(report));
  out["seconds"] = report.elapsed.count();
  out["packs_written"] = report.packs;
  out["written_bytes"] = report.packs_bytes;
  out["rewritten_bytes"] = report.rewritten_bytes;
  out["anomalies"] = report.anomalies;
  out["warnings"] = report.warnings;
  out["stats"] = push_stats_json(report.stats);
  out["requests"] = request_counts_json(destination.repository->store().request_counts());
  if (const HeldSnapshot* const held = hold_of(destination)) out["hold"] = hold_json(*held);
  return out;
}

// `effect`: what the failure means in its repository. It differs from the command's own effect once another push has
// committed.
FailureReport explain_failure(const CommandContext& context, const PushDestination& destination, const Error& error,
                              CommandEffect effect) {
  return explain(error, effect, exit_status_of(error, context.signals.received()), destination.next_step);
}

// `prefix` names the repository if there are several.
void report_committed(CommandContext& context, const PushDestination& destination, const PushReport& report,
                      const std::string& prefix, bool with_stats) {
  const Repository& repository = *destination.repository;
  const Head head = head_of(report);
  for (const std::string& warning : report.warnings) context.log.warn("{}{}", prefix, warning);
  for (const std::string& anomaly : report.anomalies)
    context.log.warn("{}anomaly, committed with a tag as asked: {}", prefix, anomaly);
  destination.seen->record(head, report.manifest, destination.heads_before, report.snapshots_before);
  context.output.remark(
      prefix + (context.output.on_terminal() ? saved_text(report.manifest, report.elapsed) : summary_line(report)));
  context.output.remark(prefix + "head " + format_head(head));
  if (const HeldSnapshot* const held = hold_of(destination)) context.output.remark(prefix + "held " + hold_text(*held));
  if (with_stats)
    context.output.text(push_stats_text(report.stats) + request_counts_text(repository.store().request_counts()));
}

nlohmann::ordered_json repository_json(const CommandContext& context, const PushDestination& destination,
                                       const Result<PushReport>& result, CommandEffect effect) {
  nlohmann::ordered_json out;
  out["repository"] = destination.repository->config().repository.hex();
  out["place"] = destination.title;
  const Error* const error = failure_of(destination, result);
  out["exit_code"] = static_cast<int>(ExitCode::kOk);
  if (result.ok()) out["result"] = push_json(*result, destination);
  if (error != nullptr) {
    const FailureReport failure =
        explain_failure(context, destination, *error, result.ok() ? CommandEffect::kCommitted : effect);
    out["exit_code"] = failure.exit_status;
    out["error"] = failure_json(failure, "push");
  }
  return out;
}

// A failure that all repositories share (the producer's, say) is reported once, as with one repository.
bool all_failed_alike(const std::vector<Result<PushReport>>& results) {
  if (results.front().ok()) return false;
  const Error& first = results.front().error();
  return std::all_of(results.begin(), results.end(), [&](const Result<PushReport>& result) {
    return !result.ok() && result.error().code == first.code &&
           (result.error().message == first.message || first.code == ErrorCode::kCancelled);
  });
}

// The push whose failure decides the exit code; none where all succeeded.
std::optional<std::size_t> worst_failure(const std::vector<const Error*>& failures) {
  std::optional<std::size_t> worst;
  for (std::size_t i = 0; i < failures.size(); ++i)
    if (failures[i] != nullptr && (!worst || is_worse(*failures[i], *failures[*worst]))) worst = i;
  return worst;
}

// Logs the other failures. Returns the worst.
Error report_failures(CommandContext& context, const std::vector<PushDestination>& destinations,
                      const std::vector<const Error*>& failures, std::size_t worst, CommandEffect effect) {
  if (failures.size() == 1) return *failures[worst];
  const auto named = [&](std::size_t i) { return failures[i]->with_context(destinations[i].title); };
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (failures[i] == nullptr || i == worst) continue;
    const LogFormat format = context.options.log.format;
    const FailureReport report = explain_failure(context, destinations[i], named(i), effect);
    context.console.write_lines(failure_log(report, "push", format, context.clock.wall_ns()), failure_tone(format));
  }
  return named(worst);
}

}  // namespace

Result<ExitCode> report_push_results(CommandContext& context, const std::vector<PushDestination>& destinations,
                                     const std::vector<Result<PushReport>>& results, bool with_stats) {
  const bool several = destinations.size() > 1;
  const bool committed = std::any_of(results.begin(), results.end(), [](const auto& result) { return result.ok(); });
  const CommandEffect effect = several && !all_failed_alike(results) ? CommandEffect::kCommitsInOne : context.effect;
  if (committed) context.effect = CommandEffect::kCommitted;
  const auto cut_short = std::ranges::find_if(
      results, [](const auto& result) { return result.ok() && may_be_cut_short(result->manifest); });
  if (cut_short != results.end()) context.log.warn("{}", kUnseenProducerWarning);
  nlohmann::ordered_json repositories = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string prefix = several ? destinations[i].title + ": " : "";
    if (results[i].ok()) {
      report_committed(context, destinations[i], *results[i], prefix, with_stats);
    } else if (several) {
      const FailureReport failure = explain_failure(context, destinations[i], results[i].error(), effect);
      context.output.remark(fmt::format("{}no snapshot (exit {}): {}", prefix, failure.exit_status, failure.message));
    }
    if (several) repositories.push_back(repository_json(context, destinations[i], results[i], effect));
  }
  if (several) context.output.append("repositories", std::move(repositories));
  std::vector<const Error*> failures;
  for (std::size_t i = 0; i < results.size(); ++i) failures.push_back(failure_of(destinations[i], results[i]));
  const std::optional<std::size_t> worst = worst_failure(failures);
  const int exit_status = worst ? exit_status_of(*failures[*worst], context.signals.received()) : 0;
  if (results.front().ok())
    context.output.document("drstream.push/1", exit_status, push_json(*results.front(), destinations.front()));
  if (!worst) return ExitCode::kOk;
  context.next_step = destinations[*worst].next_step;
  if (!results[*worst].ok()) context.effect = effect;
  if (all_failed_alike(results)) return *failures[*worst];
  return report_failures(context, destinations, failures, *worst, effect);
}

}  // namespace drs
