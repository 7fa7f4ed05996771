#include "tools/summary_text.h"

#include <fmt/format.h>

#include "tools/duration_text.h"
#include "tools/size_text.h"
#include "tools/snapshot_json.h"
#include "tools/time_text.h"

namespace drs {
namespace {

constexpr double kRatioMax = 1000;

std::string duration(double seconds) {
  return format_duration(std::chrono::duration<double>(seconds));
}

// "pg/app #1 22c3a2a55448"
std::string title_of(const ManifestHeader& manifest) {
  return fmt::format("{} #{} {}", manifest.stream, manifest.sequence, manifest.session.hex().substr(0, kIdDigitsShown));
}

}  // namespace

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string pace_text(std::uint64_t bytes, double seconds) {
  if (seconds < 0.001) return duration(seconds);
  return fmt::format("{} ({}/s)", duration(seconds),
                     format_size(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)));
}

std::string ratio_text(std::uint64_t bytes, std::uint64_t stored_bytes) {
  if (bytes == 0) return "-";
  const double ratio = static_cast<double>(bytes) / static_cast<double>(stored_bytes);
  if (stored_bytes == 0 || ratio > kRatioMax) return fmt::format("over {:.0f}", kRatioMax);
  return fmt::format("{:.{}f}", ratio, ratio < 9.995 ? 2 : 1);
}

std::string saved_text(const ManifestHeader& manifest, std::optional<double> seconds) {
  const std::string fresh =
      manifest.new_bytes == 0 && manifest.bytes > 0 ? "all known" : format_size(manifest.new_bytes) + " new";
  const std::string producer =
      manifest.producer == ProducerKind::kFileEnd ? "from a file" : "producer " + producer_text(manifest);
  return fmt::format("saved {}: {} read, {}, {}, {}", title_of(manifest), format_size(manifest.bytes), fresh,
                     seconds ? pace_text(manifest.bytes, *seconds) : "finished from its spool", producer);
}

std::string restored_text(const ManifestHeader& manifest, const PullReport& report, bool consumer_stopped) {
  const std::string proof = consumer_stopped  ? "the consumer stopped before the end and exited with 0"
                            : !report.whole   ? "a range, its blocks checked"
                            : manifest.sha256 ? "whole, SHA-256 agrees"
                                              : "whole, XXH3 agrees";
  return fmt::format("restored {} of {}: {}, {}, {}", title_of(manifest), format_time_local(manifest.snapshot_ns),
                     format_size(report.bytes), pace_text(report.bytes, report.seconds), proof);
}

std::string copied_text(const CopyReport& report, std::uint64_t damaged) {
  using Outcome = SnapshotCopy::Outcome;
  std::string out = counted(report.count(Outcome::kCopied), "snapshot") + " copied";
  const auto add = [&out](std::uint64_t count, std::string_view what) {
    if (count > 0) out += fmt::format(", {} {}", count, what);
  };
  add(report.count(Outcome::kPresent), "there already (not read; `drstream verify` of the target proves them)");
  add(report.count(Outcome::kHealed), "there already and healed");
  add(report.count(Outcome::kRemoved), "removed there");
  add(damaged, "damaged here");
  add(report.count(Outcome::kDamagedThere), "damaged there");
  add(report.count(Outcome::kSkipped), "skipped");
  add(report.count(Outcome::kFenced), "fenced");
  if (report.removal_marks > 0) out += ", " + counted(report.removal_marks, "mark") + " of removal carried over";
  return out + fmt::format("; read {}, stored {} in {}, {}", format_size(report.read_bytes),
                           format_size(report.stored_bytes), counted(report.packs, "pack"), duration(report.seconds));
}

std::string verified_text(const VerifyReport& report) {
  return fmt::format("verified {}: {} in {} ({}), {}", counted(report.snapshots, "snapshot"),
                     counted(report.blocks_referenced, "block"), counted(report.packs, "pack"),
                     format_size(report.packs_bytes), duration(report.seconds));
}

std::string scrubbed_text(const ScrubReport& report) {
  return fmt::format("scrubbed {}, {}, {}", counted(report.objects, "object"), format_size(report.bytes),
                     pace_text(report.bytes, report.seconds));
}

}  // namespace drs
