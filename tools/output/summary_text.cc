#include "tools/output/summary_text.h"

#include <fmt/format.h>

#include "tools/output/quantity_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

constexpr double kRatioMax = 1000;

// "pg/app #1 22c3a2a55448"
std::string title_of(const ManifestHeader& manifest) {
  return fmt::format("{} #{} {}", manifest.stream, manifest.sequence, manifest.session.hex().substr(0, kIdDigitsShown));
}

}  // namespace

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string pace_text(std::uint64_t bytes, std::chrono::duration<double> elapsed) {
  if (elapsed < std::chrono::milliseconds(1)) return format_duration(elapsed);
  return fmt::format("{} ({}/s)", format_duration(elapsed),
                     format_size(static_cast<std::uint64_t>(static_cast<double>(bytes) / elapsed.count())));
}

std::string ratio_text(std::uint64_t bytes, std::uint64_t stored_bytes) {
  if (bytes == 0) return "-";
  const double ratio = static_cast<double>(bytes) / static_cast<double>(stored_bytes);
  if (stored_bytes == 0 || ratio > kRatioMax) return fmt::format("over {:.0f}", kRatioMax);
  return fmt::format("{:.{}f}", ratio, ratio < 9.995 ? 2 : 1);
}

bool may_be_cut_short(const ManifestHeader& manifest) {
  return manifest.producer == ProducerKind::kUnseen && manifest.trailer_pattern.empty();
}

std::string producer_word(const ManifestHeader& manifest) {
  switch (manifest.producer) {
    case ProducerKind::kUnseen: return "unseen";
    case ProducerKind::kExitStatus: return "exit " + std::to_string(manifest.exit_status);
    case ProducerKind::kFileEnd: return "file";
    case ProducerKind::kEndsReached: return "captured ends";
  }
  return "unseen";
}

std::string producer_text(const ManifestHeader& manifest) {
  if (manifest.producer != ProducerKind::kUnseen) return producer_word(manifest);
  return may_be_cut_short(manifest) ? "unseen: a plain pipe" : "unseen: a plain pipe, but the trailer matched";
}

std::string saved_text(const ManifestHeader& manifest, std::optional<std::chrono::duration<double>> elapsed) {
  const std::string fresh =
      manifest.new_bytes == 0 && manifest.bytes > 0 ? "all known" : format_size(manifest.new_bytes) + " new";
  const std::string producer =
      manifest.producer == ProducerKind::kFileEnd ? "from a file" : "producer " + producer_text(manifest);
  return fmt::format("saved {}: {} read, {}, {}, {}", title_of(manifest), format_size(manifest.bytes), fresh,
                     elapsed ? pace_text(manifest.bytes, *elapsed) : "finished from its spool", producer);
}

std::string holes_text(const PullReport& report) {
  return fmt::format("with {} of {} bytes, not compared with its digests", counted(report.holes, "hole"),
                     report.holes_bytes);
}

std::string restored_text(const ManifestHeader& manifest, const PullReport& report, bool consumer_stopped) {
  const std::string proof = consumer_stopped   ? "the consumer stopped before the end and exited with 0"
                            : report.holes > 0 ? holes_text(report)
                            : !report.whole    ? "a range, its blocks checked"
                            : manifest.sha256  ? "whole, SHA-256 agrees"
                                               : "whole, XXH3 agrees";
  return fmt::format("restored {} of {}: {}, {}, {}", title_of(manifest), format_time_local(manifest.snapshot_ns),
                     format_size(report.bytes), pace_text(report.bytes, report.elapsed), proof);
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
  if (report.holds > 0) out += ", " + counted(report.holds, "hold") + " carried over";
  return out + fmt::format("; read {}, stored {} in {}, {}", format_size(report.read_bytes),
                           format_size(report.stored_bytes), counted(report.packs, "pack"),
                           format_duration(report.elapsed));
}

std::string verified_text(const VerifyReport& report) {
  return fmt::format("verified {}: {} in {} ({}), {}", counted(report.snapshots, "snapshot"),
                     counted(report.blocks_referenced, "block"), counted(report.packs, "pack"),
                     format_size(report.packs_bytes), format_duration(report.elapsed));
}

std::string scrubbed_text(const ScrubReport& report) {
  return fmt::format("scrubbed {}, {}, {}", counted(report.objects, "object"), format_size(report.bytes),
                     pace_text(report.bytes, report.elapsed));
}

}  // namespace drs
