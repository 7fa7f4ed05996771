#include "tools/commands/sweep_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/commands/findings.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

std::string read_text(const SweepRun& run) {
  const VerifyReport& checked = run.report.checked;
  if (checked.packs_read == 0 && checked.snapshots_rebuilt == 0) return "";
  if (run.level == SweepLevel::kRebuild)
    return fmt::format("rebuilt {}, {} of plaintext, {}\n", counted(checked.snapshots_rebuilt, "snapshot"),
                       format_size(checked.rebuilt_bytes), pace_text(checked.rebuilt_bytes, checked.elapsed));
  std::string out = fmt::format("read {}, {}, {}", counted(checked.packs_read, "pack"), format_size(checked.bytes_read),
                                pace_text(checked.bytes_read, checked.elapsed));
  if (run.level == SweepLevel::kDecode)
    out += fmt::format("; {} decoded, {} of plaintext", counted(checked.blocks_decoded, "block"),
                       format_size(checked.decoded_bytes));
  return out + "\n";
}

std::string left_text(const SweepReport& report) {
  if (report.left_snapshots > 0) return fmt::format("left: {}\n", counted(report.left_snapshots, "snapshot"));
  if (report.left_packs == 0) return "";
  return fmt::format("left for the next sweep: {}, {}\n", counted(report.left_packs, "pack"),
                     format_size(report.left_bytes));
}

}  // namespace

std::string_view sweep_level_word(SweepLevel level) {
  switch (level) {
    case SweepLevel::kDigest: return "digest";
    case SweepLevel::kDecode: return "decode";
    case SweepLevel::kRebuild: return "rebuild";
  }
  return "";
}

double coverage_ratio(const Coverage& coverage) {
  if (coverage.complete()) return 1;
  const double ratio =
      static_cast<double>(coverage.proven_bytes) / static_cast<double>(std::max<std::uint64_t>(coverage.bytes, 1));
  return std::min(ratio, 0.9999);
}

std::string coverage_text(const Coverage& coverage, std::chrono::milliseconds within) {
  if (coverage.packs == 0) return "no packs are stored";
  // Down, so that 100 % means all.
  const double percent = std::floor(coverage_ratio(coverage) * 1000) / 10;
  std::string out =
      fmt::format("{:g} % of {} proven within {}", percent, format_size(coverage.bytes), format_duration(within));
  if (!coverage.complete()) out += fmt::format(", {} not", counted(coverage.packs - coverage.proven_packs, "pack"));
  if (coverage.oldest_unproven_ns != 0)
    out += fmt::format(", the oldest of them stored {}", format_time_local(coverage.oldest_unproven_ns));
  return out;
}

nlohmann::ordered_json coverage_json(const Coverage& coverage, std::chrono::milliseconds within) {
  nlohmann::ordered_json out;
  out["ratio"] = coverage_ratio(coverage);
  out["within_seconds"] = static_cast<double>(within.count()) / 1e3;
  out["packs"] = coverage.packs;
  out["bytes"] = coverage.bytes;
  out["proven_packs"] = coverage.proven_packs;
  out["proven_bytes"] = coverage.proven_bytes;
  out["decoded_bytes"] = coverage.decoded_bytes;
  out["packs_damaged"] = coverage.damaged_packs;
  out["overdue_packs"] = coverage.overdue_packs;
  if (coverage.oldest_unproven_ns != 0) out["oldest_unproven_time"] = format_time_utc(coverage.oldest_unproven_ns);
  if (coverage.oldest_proof_ns != 0) out["oldest_proof_time"] = format_time_utc(coverage.oldest_proof_ns);
  return out;
}

std::string sweep_text(const SweepRun& run) {
  const SweepReport& report = run.report;
  std::string out = read_text(run) + left_text(report);
  if (report.checked.records_checked > 0)
    out += fmt::format("compared {} records of topics with their digests\n", report.checked.records_checked);
  if (report.structure_checked)
    out += fmt::format("{} checked for missing objects\n", counted(report.checked.snapshots, "snapshot"));
  if (report.checked.marked > 0)
    out +=
        fmt::format("marked {} as damaged: pushes store their chunks anew\n", counted(report.checked.marked, "pack"));
  if (report.checked.unmarked > 0)
    out += fmt::format("took back the damage marks of {}\n", counted(report.checked.unmarked, "pack"));
  if (run.shard.count > 1) out += fmt::format("shard {} of {}\n", run.shard.number, run.shard.count);
  out += "coverage: " + coverage_text(report.coverage, run.verified_within) + "\n";
  if (run.keyless)
    out +=
        "no key was given: this is no evidence, is kept on this machine alone, and `drstream status` does not count "
        "it\n";
  else if (!run.recorded)
    out += "--read-only: nothing of this is recorded, and the next sweep reads it again\n";
  return out;
}

std::string sweep_verdict(const SweepRun& run, ExitCode code) {
  if (run.report.ended && code != ExitCode::kDamage && code != ExitCode::kRollback)
    return "ended early: " + run.report.ended->message +
           (run.recorded ? "; what was proven until then is recorded, unless this says otherwise" : "");
  switch (code) {
    case ExitCode::kDamage: return damage_verdict(run.report.checked.findings);
    case ExitCode::kRollback: return std::string(deletion_verdict());
    case ExitCode::kFormatTooNew: return std::string(too_new_verdict());
    default: break;
  }
  const bool read_nothing = run.report.checked.packs_read == 0 && run.report.checked.snapshots_rebuilt == 0;
  if (read_nothing && run.report.left_packs == 0 && run.report.left_snapshots == 0) return "nothing was due";
  return run.report.unsteady_packs > 0 ? "no damage found in the store; see the warnings about this machine"
                                       : "no damage found in what was read";
}

nlohmann::ordered_json sweep_json(const SweepRun& run) {
  const SweepReport& report = run.report;
  const VerifyReport& checked = report.checked;
  nlohmann::ordered_json out;
  out["level"] = sweep_level_word(run.level);
  out["shard"] = fmt::format("{}/{}", run.shard.number, run.shard.count);
  if (run.budget_bytes) out["budget_bytes"] = *run.budget_bytes;
  if (run.budget_time) out["budget_seconds"] = static_cast<double>(run.budget_time->count()) / 1e3;
  if (report.ended) out["ended"] = report.ended->message;
  const bool stored = !report.ended || report.records > 0;
  out["evidence"] = run.recorded && !run.keyless && stored;
  out["findings"] = findings_json(checked.findings);
  out.update(damaged_snapshots_json(checked));
  out["coverage"] = coverage_json(report.coverage, run.verified_within);
  out["packs_due"] = report.due_packs;
  out["due_bytes"] = report.due_bytes;
  out["packs_read"] = checked.packs_read;
  out["read_bytes"] = checked.bytes_read;
  out["packs_left"] = report.left_packs;
  out["left_bytes"] = report.left_bytes;
  out["packs_damaged"] = report.damaged_packs;
  out["packs_unsteady"] = report.unsteady_packs;
  out["packs_marked"] = checked.marked;
  out["packs_unmarked"] = checked.unmarked;
  out["blocks_decoded"] = checked.blocks_decoded;
  out["chunks_checked"] = checked.chunks_checked;
  out["decoded_bytes"] = checked.decoded_bytes;
  out["snapshots_due"] = report.due_snapshots;
  out["snapshots_rebuilt"] = checked.snapshots_rebuilt;
  out["snapshots_left"] = report.left_snapshots;
  out["rebuilt_bytes"] = checked.rebuilt_bytes;
  out["records_checked"] = checked.records_checked;
  out["budget_used"] = report.budget_used;
  out["structure_checked"] = report.structure_checked;
  if (report.structure_ns != 0) out["structure_time"] = format_time_utc(report.structure_ns);
  out["records_stored"] = report.records;
  out["seconds"] = checked.elapsed.count();
  return out;
}

}  // namespace drs
