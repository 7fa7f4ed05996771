#include "tools/commands/forget_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/output/output.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/text_table.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

std::string hold_text(const Snapshot& snapshot, const Holds& holds) {
  const auto hold = holds.find(snapshot.name);
  if (hold == holds.end()) return "held";
  std::string text = "held";
  if (hold->second.until_ns != 0) text += " until " + format_time_local(hold->second.until_ns);
  if (!hold->second.reason.empty()) text += " (" + hold->second.reason + ")";
  return text;
}

std::string shield_text(const ForgetPlan& plan, Shield shield, const Snapshot& snapshot) {
  switch (shield) {
    case Shield::kNewest: return "newest";
    case Shield::kNewestProven: return "newest proven";
    case Shield::kHeld: return hold_text(snapshot, plan.holds);
    case Shield::kNeeded: return "needed by another";
    case Shield::kNoCopy: return "no copy";
    case Shield::kRefused: return "refused";
  }
  return "";
}

// Why a snapshot stays; empty if it does not.
std::string reasons_text(const ForgetPlan& plan, const PlannedSnapshot& planned) {
  std::string text = format_reasons(planned.rules);
  for (const Shield shield : planned.shields)
    text += (text.empty() ? "" : ", ") + shield_text(plan, shield, *planned.snapshot);
  return text;
}

nlohmann::ordered_json reason_json(const KeepReason& reason) {
  return {{"by", keep_rule_name(reason.rule)},
          {"oldest", reason.place == KeepReason::Place::kOldest},
          {"store_time", reason.clock == KeepReason::Clock::kStore}};
}

nlohmann::ordered_json shield_json(const ForgetPlan& plan, Shield shield, const Snapshot& snapshot) {
  nlohmann::ordered_json out = {{"by", shield_name(shield)}, {"oldest", false}, {"store_time", false}};
  const auto hold = plan.holds.find(snapshot.name);
  if (shield != Shield::kHeld || hold == plan.holds.end()) return out;
  if (hold->second.until_ns != 0) out["until"] = format_time_utc(hold->second.until_ns);
  set_text(out, "reason", hold->second.reason);
  return out;
}

nlohmann::ordered_json snapshot_json(const ForgetPlan& plan, const PlannedSnapshot& planned, ForgetState state) {
  const ManifestHeader& manifest = planned.snapshot->manifest;
  auto kept_by = nlohmann::ordered_json::array();
  for (const KeepReason& reason : planned.rules) kept_by.push_back(reason_json(reason));
  for (const Shield shield : planned.shields) kept_by.push_back(shield_json(plan, shield, *planned.snapshot));
  return {{"id", planned.snapshot->id()},
          {"time", format_time_utc(manifest.snapshot_ns)},
          {"sequence", manifest.sequence},
          {"bytes", manifest.bytes},
          {"manifest", planned.snapshot->name},
          {"is_removed", !planned.stays() && state != ForgetState::kDeclined},
          {"kept_by", kept_by}};
}

}  // namespace

std::size_t ForgetPlan::removed() const {
  std::size_t count = 0;
  for (const PlannedStream& stream : streams) count += stream.removed();
  return count;
}

std::size_t ForgetPlan::kept() const {
  std::size_t count = 0;
  for (const PlannedStream& stream : streams) count += stream.snapshots.size() - stream.removed();
  return count;
}

ExitCode ForgetPlan::exit_code() const {
  const bool is_refused =
      std::ranges::any_of(streams, [](const PlannedStream& stream) { return stream.refusal.has_value(); });
  const bool stays = choice.by == ForgetChoice::By::kNames && (kept() > 0 || !held_damaged.empty());
  return is_refused || stays ? ExitCode::kLimitMissed : ExitCode::kOk;
}

void ForgetPlan::leave(const std::map<std::string, Error>& refused) {
  for (PlannedStream& stream : streams)
    for (PlannedSnapshot& planned : stream.snapshots)
      if (refused.contains(planned.snapshot->name)) planned.shields.push_back(Shield::kRefused);
  std::erase_if(marks, [&](const RemovedMark& mark) { return refused.contains(mark.manifest_name); });
}

std::string plan_table(const ForgetPlan& plan, std::size_t columns_max) {
  using Align = TextTable::Align;
  TextTable table({{"TIME"}, {"STREAM"}, {"ID"}, {"SEQ", Align::kRight, 2}, {"SIZE", Align::kRight, 1}, {"KEPT BY"}});
  for (const PlannedStream& stream : plan.streams) {
    for (const PlannedSnapshot& planned : stream.snapshots) {
      const ManifestHeader& manifest = planned.snapshot->manifest;
      const std::string reasons = reasons_text(plan, planned);
      table.add_row({format_time_local(manifest.snapshot_ns), stream.stream,
                     planned.snapshot->id().substr(0, kIdDigitsShown), std::to_string(manifest.sequence),
                     format_size(manifest.bytes), reasons.empty() ? "none" : reasons});
    }
  }
  return table.text(columns_max);
}

std::vector<std::string> plan_warnings(const ForgetPlan& plan) {
  std::vector<std::string> texts;
  for (const PlannedStream& stream : plan.streams) {
    texts.insert(texts.end(), stream.warnings.begin(), stream.warnings.end());
    if (stream.refusal) texts.push_back(stream.refusal->message);
    if (plan.choice.by == ForgetChoice::By::kRules) {
      const auto lacks_copy = [](const PlannedSnapshot& planned) {
        return planned.rules.empty() && planned.shields == std::vector{Shield::kNoCopy};
      };
      if (const auto count = std::ranges::count_if(stream.snapshots, lacks_copy); count > 0)
        texts.push_back(fmt::format("{} of {} would go, but stay: the place of --require-copy has no copy of them",
                                    counted(static_cast<std::uint64_t>(count), "snapshot"), stream.stream));
      continue;
    }
    for (const PlannedSnapshot& planned : stream.snapshots)
      if (planned.stays())
        texts.push_back(fmt::format("snapshot {} of {} is not removed: {}", planned.snapshot->id(), stream.stream,
                                    reasons_text(plan, planned)));
  }
  for (const Error& error : plan.held_damaged) texts.push_back(error.message);
  return texts;
}

std::string removed_lines(const ForgetPlan& plan) {
  std::string out;
  for (const PlannedStream& stream : plan.streams)
    for (const PlannedSnapshot& planned : stream.snapshots)
      if (!planned.stays())
        out += fmt::format("removed {} of {} from {}\n", planned.snapshot->id(), stream.stream,
                           format_time_local(planned.snapshot->manifest.snapshot_ns));
  for (std::size_t i = plan.removed(); i < plan.marks.size(); ++i)
    out += fmt::format("removed {}, which cannot be read\n", plan.marks[i].manifest_name);
  return out;
}

std::string forget_summary(const ForgetPlan& plan, ForgetState state) {
  const std::size_t damaged = plan.marks.size() - plan.removed();
  std::string out = fmt::format("{} {}", counted(plan.removed(), "snapshot"),
                                state == ForgetState::kDone ? "removed" : "would be removed");
  if (damaged > 0) out += fmt::format(", {}", counted(damaged, "damaged manifest"));
  out += fmt::format(", {} kept\n", plan.kept());
  for (const std::string& stream : plan.choice.unruled)
    out += fmt::format("{} has no rule and keeps everything\n", stream);
  return out;
}

nlohmann::ordered_json forget_json(const ForgetPlan& plan, ForgetState state, const MarksReport& written,
                                   const std::vector<std::string>& warnings) {
  nlohmann::ordered_json out;
  out["state"] = state == ForgetState::kPlanned ? "planned" : state == ForgetState::kDeclined ? "declined" : "done";
  out["streams"] = nlohmann::ordered_json::array();
  for (const PlannedStream& stream : plan.streams) {
    nlohmann::ordered_json one = {{"stream", stream.stream}};
    if (const auto rules = plan.choice.rules.find(stream.stream); rules != plan.choice.rules.end()) {
      one["rules"] = format_keep_rules(rules->second.rules);
      one["rules_origin"] = rules->second.origin;
    }
    if (stream.refusal) one["problem"] = stream.refusal->message;
    const std::size_t removed = state == ForgetState::kDeclined ? 0 : stream.removed();
    one["removed_count"] = removed;
    one["kept_count"] = stream.snapshots.size() - removed;
    one["snapshots"] = nlohmann::ordered_json::array();
    for (const PlannedSnapshot& planned : stream.snapshots)
      one["snapshots"].push_back(snapshot_json(plan, planned, state));
    out["streams"].push_back(std::move(one));
  }
  out["streams_without_rules"] = plan.choice.unruled;
  out["damaged_manifests"] = nlohmann::ordered_json::array();
  for (std::size_t i = plan.removed(); i < plan.marks.size(); ++i)
    out["damaged_manifests"].push_back(plan.marks[i].manifest_name);
  out["marks_written"] = written.written;
  out["marks_present"] = written.present;
  out["warnings"] = warnings;
  return out;
}

}  // namespace drs
