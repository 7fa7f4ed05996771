#include "tools/commands/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/output/output.h"
#include "tools/output/printable.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"

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

std::string findings_text(const std::vector<Finding>& findings, RangeDetail ranges) {
  std::string out;
  for (const Finding& finding : findings) {
    out += fmt::format("{}: {}: {}\n", severity_name(finding.severity), printable_value(finding.object),
                       printable_value(finding.problem));
    if (ranges == RangeDetail::kCounted) {
      if (finding.affected_count > 0)
        out += fmt::format("  affects {} of bytes (-v lists them)\n", counted(finding.affected_count, "range"));
      continue;
    }
    for (const AffectedRange& range : finding.affected)
      out += fmt::format("  affects {} snapshot {} bytes {} to {}\n", printable_value(range.stream), range.snapshot_id,
                         range.offset_bytes, range.offset_bytes + range.bytes);
    if (finding.affected_count > finding.affected.size())
      out += fmt::format("  and {}\n", counted(finding.affected_count - finding.affected.size(), "more range"));
  }
  return out;
}

std::string damaged_snapshots_text(const VerifyReport& report) {
  std::string out;
  for (const DamagedSnapshot& snapshot : report.damaged_snapshots)
    out += fmt::format("{}: {} {} of {}, sequence {}: {} in {}, the first found at byte {}\n",
                       snapshot.too_new ? "snapshot that needs a newer drstream" : "damaged snapshot",
                       printable_value(snapshot.stream), snapshot.snapshot_id, format_time_local(snapshot.snapshot_ns),
                       snapshot.sequence, format_size(snapshot.bytes), counted(snapshot.ranges, "range"),
                       snapshot.first_offset_bytes);
  return out;
}

std::string hit_streams_text(const VerifyReport& report) {
  std::string out;
  const auto which = [](const LeftSnapshot& snapshot) {
    return fmt::format("{} of {}, sequence {}", snapshot.id, format_time_local(snapshot.snapshot_ns),
                       snapshot.sequence);
  };
  for (const HitStream& stream : report.hit_streams) {
    const std::string name = printable_value(stream.stream);
    if (!stream.unchecked.id.empty())
      out += fmt::format(
          "the newest snapshot of {} without damage found is {}; not all of its data was read: run `drstream verify "
          "{}`\n",
          name, which(stream.unchecked), stream.unchecked.id);
    if (!stream.intact.id.empty())
      out += fmt::format("the newest snapshot of {} that was read completely and is intact is {}\n", name,
                         which(stream.intact));
    if (!stream.unchecked.id.empty() || !stream.intact.id.empty()) continue;
    if (stream.readable == 0)
      out += fmt::format(
          "no manifest of {} can be read, so nothing is known of its snapshots: restore the manifests from a replica "
          "(`drstream copy`) or from another copy of the repository\n",
          name);
    else if (stream.too_new)
      out += fmt::format(
          "every snapshot of {} is damaged or needs a newer drstream: check again with the newer one, and look for "
          "another copy of the repository\n",
          name);
    else
      out += fmt::format(
          "no snapshot of {} is intact: `drstream pull` restores those that other copies of chunks make whole; look "
          "for "
          "another copy of the repository\n",
          name);
  }
  return out;
}

nlohmann::ordered_json damaged_snapshots_json(const VerifyReport& report) {
  nlohmann::ordered_json out;
  out["damaged_snapshots"] = nlohmann::ordered_json::array();
  for (const DamagedSnapshot& snapshot : report.damaged_snapshots) {
    nlohmann::ordered_json entry;
    entry["stream"] = snapshot.stream;
    entry["id"] = snapshot.snapshot_id;
    entry["time"] = format_time_utc(snapshot.snapshot_ns);
    entry["sequence"] = snapshot.sequence;
    entry["is_too_new"] = snapshot.too_new;
    entry["range_count"] = snapshot.ranges;
    entry["bytes"] = snapshot.bytes;
    entry["first_offset_bytes"] = snapshot.first_offset_bytes;
    out["damaged_snapshots"].push_back(std::move(entry));
  }
  out["hit_streams"] = nlohmann::ordered_json::array();
  for (const HitStream& stream : report.hit_streams) {
    nlohmann::ordered_json entry;
    entry["stream"] = stream.stream;
    set_text(entry, "newest_intact", stream.intact.id);
    set_text(entry, "newest_unchecked", stream.unchecked.id);
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
      affected["offset_bytes"] = range.offset_bytes;
      affected["bytes"] = range.bytes;
      entry["affected"].push_back(std::move(affected));
    }
    entry["affected_count"] = finding.affected_count;
    out.push_back(std::move(entry));
  }
  return out;
}

namespace {

std::string damage_alone_verdict(const std::vector<Finding>& findings) {
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
    return "DAMAGE FOUND: the snapshots named above lack stored blocks; `drstream pull` rebuilds them as far as other "
           "copies of their chunks allow, and names what is lost; push the same data again (of topics: run "
           "`drstream kafka archive` again), and heal with `drstream repair packs`, from a replica if there is one";
  if (costs_manifests)
    return "DAMAGE FOUND: the snapshots whose manifests are named above cannot be restored; restore the manifests from "
           "a replica or another copy, or push the same data again";
  if (index_alone) return "DAMAGE FOUND in the index alone: no snapshot is lost; `drstream repair index` rebuilds it";
  return "DAMAGE FOUND: no snapshot whose manifest is readable needs the objects named above; restore them from "
         "another copy, or, of packs, run `drstream repair packs`";
}

}  // namespace

std::string damage_verdict(const std::vector<Finding>& findings) {
  std::string verdict = damage_alone_verdict(findings);
  const auto is_deletion = [](const Finding& finding) { return finding.severity == Finding::Severity::kDeletion; };
  if (std::any_of(findings.begin(), findings.end(), is_deletion)) verdict += fmt::format("\n{}", deletion_verdict());
  return verdict;
}

std::string_view deletion_verdict() {
  return "DELETION OR ROLLBACK SUSPECTED: something that was seen is gone without an authentic mark of removal, or it "
         "is not known what was seen";
}

std::string_view too_new_verdict() {
  return "WRITTEN BY A NEWER DRSTREAM: update drstream, then check again; no damage found in what this version can "
         "read";
}

Tone verdict_tone(ExitCode code) {
  if (code == ExitCode::kOk) return Tone::kPlain;
  return code == ExitCode::kWarnings ? Tone::kWarning : Tone::kError;
}

ExitCode exit_code_of(const std::vector<Finding>& findings, WarningPolicy warnings) {
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
  return warning && warnings == WarningPolicy::kFail ? ExitCode::kWarnings : ExitCode::kOk;
}

}  // namespace drs
