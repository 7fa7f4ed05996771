#include "tools/push_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/open_repository.h"
#include "tools/push_stats_text.h"
#include "tools/request_counts_text.h"
#include "tools/seen_heads.h"
#include "tools/snapshot_json.h"
#include "tools/summary_text.h"

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
                     report.seconds, manifest.producer == ProducerKind::kUnseen ? "unseen" : "seen");
}

nlohmann::ordered_json push_json(const PushReport& report, const Repository& repository) {
  nlohmann::ordered_json out = snapshot_json(report.manifest_name, report.manifest_digest, report.manifest);
  out["head"] = format_head(head_of(report));
  out["seconds"] = report.seconds;
  out["packs"] = report.packs;
  out["packs_bytes"] = report.packs_bytes;
  out["rewritten_bytes"] = report.rewritten_bytes;
  out["copied_bytes"] = report.stats.copied_bytes;
  out["anomalies"] = report.anomalies;
  out["warnings"] = report.warnings;
  out["stats"] = push_stats_json(report.stats);
  out["requests"] = request_counts_json(repository.store().request_counts());
  return out;
}

// `effect`: what a failure means where it failed. The command's own is another once one of its pushes has committed.
FailureReport explain_failure(const CommandContext& context, const PushDestination& destination, const Error& error,
                              CommandEffect effect) {
  return explain(error, effect, exit_status_of(error, context.signals.received()), destination.next_step);
}

// `prefix` names the repository where there are several.
void tell_committed(CommandContext& context, const PushDestination& destination, const PushReport& report,
                    const std::string& prefix, bool with_stats) {
  const Repository& repository = *destination.repository;
  const Head head = head_of(report);
  for (const std::string& warning : report.warnings) context.log.warn("{}{}", prefix, warning);
  for (const std::string& anomaly : report.anomalies)
    context.log.warn("{}anomaly, committed with a tag as asked: {}", prefix, anomaly);
  destination.seen->record(head, report.manifest, destination.heads_before, report.snapshots_before);
  context.output.remark(
      prefix + (context.output.on_terminal() ? saved_text(report.manifest, report.seconds) : summary_line(report)));
  context.output.remark(prefix + "head " + format_head(head));
  if (with_stats)
    context.output.text(push_stats_text(report.stats) + request_counts_text(repository.store().request_counts()));
}

nlohmann::ordered_json repository_json(const CommandContext& context, const PushDestination& destination,
                                       const Result<PushReport>& result, CommandEffect effect) {
  nlohmann::ordered_json out;
  out["repository"] = destination.title;
  out["repository_id"] = destination.repository->config().repository.hex();
  if (result.ok()) {
    out["exit_code"] = static_cast<int>(ExitCode::kOk);
    out["snapshot"] = push_json(*result, *destination.repository);
  } else {
    const FailureReport failure = explain_failure(context, destination, result.error(), effect);
    out["exit_code"] = failure.exit_status;
    out["error"] = failure_json(failure, "push");
  }
  return out;
}

// Where the same thing failed everywhere (the producer, say) it is told once, as with one repository.
bool all_failed_alike(const std::vector<Result<PushReport>>& results) {
  if (results.front().ok()) return false;
  const Error& first = results.front().error();
  return std::all_of(results.begin(), results.end(), [&](const Result<PushReport>& result) {
    return !result.ok() && result.error().code == first.code &&
           (result.error().message == first.message || first.code == ErrorCode::kCancelled);
  });
}

// The worst failure, after the others were told; none where all is well.
std::optional<Error> tell_failures(CommandContext& context, const std::vector<PushDestination>& destinations,
                                   const std::vector<Result<PushReport>>& results, CommandEffect effect) {
  std::optional<std::size_t> worst;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (!results[i].ok() && (!worst || is_worse(results[i].error(), results[*worst].error()))) worst = i;
  if (!worst) return std::nullopt;
  context.next_step = destinations[*worst].next_step;
  if (all_failed_alike(results)) return results[*worst].error();
  const auto named = [&](std::size_t i) { return results[i].error().with_context(destinations[i].title); };
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok() || i == *worst) continue;
    const LogFormat format = context.options.log.format;
    const FailureReport report = explain_failure(context, destinations[i], named(i), effect);
    context.console.write_lines(failure_log(report, "push", format, context.clock.wall_ns()), failure_tone(format));
  }
  return named(*worst);
}

}  // namespace

Result<ExitCode> tell_push_results(CommandContext& context, const std::vector<PushDestination>& destinations,
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
      tell_committed(context, destinations[i], *results[i], prefix, with_stats);
    } else if (several) {
      const FailureReport failure = explain_failure(context, destinations[i], results[i].error(), effect);
      context.output.remark(fmt::format("{}no snapshot (exit {}): {}", prefix, failure.exit_status, failure.message));
    }
    if (several) repositories.push_back(repository_json(context, destinations[i], results[i], effect));
  }
  if (several) context.output.append("repositories", std::move(repositories));
  if (results.front().ok())
    context.output.document("drstream.push/1", push_json(*results.front(), *destinations.front().repository));
  if (const auto failure = tell_failures(context, destinations, results, effect)) {
    context.effect = effect;
    return *failure;
  }
  return ExitCode::kOk;
}

}  // namespace drs
