#include "tools/findings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/printable.h"
#include "tools/size_text.h"
#include "tools/time_text.h"

namespace drs {
namespace {

std::string_view severity_name(Finding::Severity severity) {
  switch (severity) {
    case Finding::Severity::kDamage: return "damage";
    case Finding::Severity::kDeletion: return "deletion";
    case Finding::Severity::kTooNew: return "too-new";
    case Finding::Severity::kWarning: return "warning";
  }
  return "damage";
}

}  // namespace

std::string findings_text(const std::vector<Finding>& findings, bool ranges) {
  std::string out;
  for (const Finding& finding : findings) {
    out += fmt::format("{}: {}: {}\n", severity_name(finding.severity), printable_value(finding.object),
                       printable_value(finding.problem));
    if (!ranges) {
      if (finding.affected_count > 0)
        out += fmt::format("  affects {} ranges of bytes (-v lists them)\n", finding.affected_count);
      continue;
    }
    for (const AffectedRange& range : finding.affected)
      out += fmt::format("  affects {} snapshot {} bytes {} to {}\n", printable_value(range.stream), range.snapshot_id,
                         range.offset_bytes, range.offset_bytes + range.bytes);
    if (finding.affected_count > finding.affected.size())
      out += fmt::format("  and {} more ranges\n", finding.affected_count - finding.affected.size());
  }
  return out;
}

std::string damaged_snapshots_text(const VerifyReport& report) {
  std::string out;
  for (const DamagedSnapshot& snapshot : report.damaged_snapshots)
    out += fmt::format("{}: {} {} of {}, sequence {}: {} in {} ranges, the first found at byte {}\n",
                       snapshot.too_new ? "snapshot that needs a newer drstream" : "damaged snapshot",
                       printable_value(snapshot.stream), snapshot.snapshot_id, format_time_local(snapshot.snapshot_ns),
                       snapshot.sequence, format_size(snapshot.bytes), snapshot.ranges, snapshot.first_offset_bytes);
  for (const HitStream& stream : report.hit_streams) {
    const std::string name = printable_value(stream.stream);
    if (stream.intact_id.empty())
      out += fmt::format("no snapshot of {} is intact: look for another copy of the repository\n", name);
    else
      out += fmt::format("the newest intact snapshot of {} is {} of {}, sequence {}, as far as this run has read\n",
                         name, stream.intact_id, format_time_local(stream.intact_ns), stream.intact_sequence);
  }
  return out;
}

nlohmann::ordered_json damaged_snapshots_json(const VerifyReport& report) {
  nlohmann::ordered_json out;
  out["damaged_snapshots"] = nlohmann::ordered_json::array();
  for (const DamagedSnapshot& snapshot : report.damaged_snapshots) {
    nlohmann::ordered_json entry;
    entry["stream"] = snapshot.stream;
    entry["snapshot"] = snapshot.snapshot_id;
    entry["time"] = format_time_utc(snapshot.snapshot_ns);
    entry["sequence"] = snapshot.sequence;
    entry["too_new"] = snapshot.too_new;
    entry["ranges"] = snapshot.ranges;
    entry["bytes"] = snapshot.bytes;
    entry["first_offset"] = snapshot.first_offset_bytes;
    out["damaged_snapshots"].push_back(std::move(entry));
  }
  out["hit_streams"] = nlohmann::ordered_json::array();
  for (const HitStream& stream : report.hit_streams) {
    nlohmann::ordered_json entry;
    entry["stream"] = stream.stream;
    entry["newest_intact"] = nullptr;
    if (!stream.intact_id.empty()) entry["newest_intact"] = stream.intact_id;
    out["hit_streams"].push_back(std::move(entry));
  }
  return out;
}

nlohmann::ordered_json findings_json(const std::vector<Finding>& findings) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    nlohmann::ordered_json entry;
    entry["severity"] = severity_name(finding.severity);
    entry["object"] = finding.object;
    entry["problem"] = finding.problem;
    entry["affected"] = nlohmann::ordered_json::array();
    for (const AffectedRange& range : finding.affected) {
      nlohmann::ordered_json affected;
      affected["stream"] = range.stream;
      affected["snapshot"] = range.snapshot_id;
      affected["offset"] = range.offset_bytes;
      affected["bytes"] = range.bytes;
      entry["affected"].push_back(std::move(affected));
    }
    entry["affected_count"] = finding.affected_count;
    out.push_back(std::move(entry));
  }
  return out;
}

std::string damage_verdict(const std::vector<Finding>& findings) {
  bool costs_snapshots = false;
  bool costs_manifests = false;
  bool index_alone = true;
  for (const Finding& finding : findings) {
    if (finding.severity != Finding::Severity::kDamage) continue;
    costs_snapshots = costs_snapshots || finding.affected_count > 0;
    costs_manifests = costs_manifests || finding.object.starts_with("manifests/");
    index_alone = index_alone && finding.object.starts_with("index/");
  }
  if (costs_snapshots)
    return "DAMAGE FOUND: the snapshots named above cannot be restored whole; push the same data again, and look for "
           "another copy";
  if (costs_manifests)
    return "DAMAGE FOUND: the snapshots whose manifests are named above cannot be restored; bring the manifests back "
           "from "
           "a replica or another copy, or push the same data again";
  if (index_alone)
    return "DAMAGE FOUND in the index alone: every snapshot can be restored; `drstream repair index` makes it anew";
  return "DAMAGE FOUND: no snapshot needs what is named above to be restored; bring it back from another copy";
}

std::string_view too_new_verdict() {
  return "WRITTEN BY A NEWER DRSTREAM: update drstream, then check again; no damage found in what this one can read";
}

ExitCode exit_code_of(const std::vector<Finding>& findings, bool warnings_count) {
  bool deletion = false;
  bool too_new = false;
  bool warning = false;
  for (const Finding& finding : findings) {
    if (finding.severity == Finding::Severity::kDamage) return ExitCode::kDamage;
    deletion = deletion || finding.severity == Finding::Severity::kDeletion;
    too_new = too_new || finding.severity == Finding::Severity::kTooNew;
    warning = warning || finding.severity == Finding::Severity::kWarning;
  }
  if (deletion) return ExitCode::kRollback;
  if (too_new) return ExitCode::kFormatTooNew;
  return warning && warnings_count ? ExitCode::kWarnings : ExitCode::kOk;
}

}  // namespace drs
