#include "tools/findings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace drs {
namespace {

std::string_view severity_name(Finding::Severity severity) {
  switch (severity) {
    case Finding::Severity::kDamage: return "damage";
    case Finding::Severity::kDeletion: return "deletion";
    case Finding::Severity::kWarning: return "warning";
  }
  return "damage";
}

}  // namespace

std::string findings_text(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings) {
    out += fmt::format("{}: {}: {}\n", severity_name(finding.severity), finding.object, finding.problem);
    for (const AffectedRange& range : finding.affected)
      out += fmt::format("  affects {} snapshot {} bytes {} to {}\n", range.stream, range.snapshot_id,
                         range.offset_bytes, range.offset_bytes + range.bytes);
    if (finding.affected_count > finding.affected.size())
      out += fmt::format("  and {} more ranges\n", finding.affected_count - finding.affected.size());
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
  bool index_alone = true;
  for (const Finding& finding : findings) {
    if (finding.severity != Finding::Severity::kDamage) continue;
    costs_snapshots = costs_snapshots || finding.affected_count > 0 || finding.object.starts_with("manifests/");
    index_alone = index_alone && finding.object.starts_with("index/");
  }
  if (costs_snapshots)
    return "DAMAGE FOUND: the snapshots named above cannot be restored whole; push the same data again, and look for "
           "another copy";
  if (index_alone)
    return "DAMAGE FOUND in the index alone: every snapshot can be restored; `drstream repair index` makes it anew";
  return "DAMAGE FOUND: no snapshot needs what is named above to be restored; bring it back from another copy";
}

ExitCode exit_code_of(const std::vector<Finding>& findings, bool warnings_count) {
  bool deletion = false;
  bool warning = false;
  for (const Finding& finding : findings) {
    if (finding.severity == Finding::Severity::kDamage) return ExitCode::kDamage;
    deletion = deletion || finding.severity == Finding::Severity::kDeletion;
    warning = warning || finding.severity == Finding::Severity::kWarning;
  }
  if (deletion) return ExitCode::kRollback;
  return warning && warnings_count ? ExitCode::kWarnings : ExitCode::kOk;
}

}  // namespace drs
