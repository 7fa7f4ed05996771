#include "tools/output/summary_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace drs {
namespace {

using namespace std::chrono_literals;

ManifestHeader a_manifest() {
  ManifestHeader manifest;
  manifest.stream = "pg/app";
  manifest.sequence = 1;
  manifest.session.data = {0x22, 0xc3, 0xa2, 0xa5, 0x54, 0x48};
  manifest.bytes = std::uint64_t{955} << 20;
  manifest.new_bytes = std::uint64_t{306} << 20;
  manifest.stored_bytes = std::uint64_t{85} << 20;
  manifest.producer = ProducerKind::kExitStatus;
  return manifest;
}

TEST(SummaryText, APushSaysWhatWasSavedHowFastAndHowItsProducerEnded) {
  ManifestHeader manifest = a_manifest();
  EXPECT_EQ(saved_text(manifest, 3.1s),
            "saved pg/app #1 22c3a2a55448: 955 MiB read, 306 MiB new, 3.1 s (308.1 MiB/s), producer exit 0");
  manifest.producer = ProducerKind::kUnseen;
  manifest.new_bytes = 0;
  EXPECT_EQ(saved_text(manifest, std::nullopt),
            "saved pg/app #1 22c3a2a55448: 955 MiB read, all known, finished from its spool, producer unseen: a plain "
            "pipe");
  manifest.producer = ProducerKind::kFileEnd;
  manifest.bytes = 0;
  EXPECT_EQ(saved_text(manifest, 0s), "saved pg/app #1 22c3a2a55448: 0 B read, 0 B new, 0.0 s, from a file");
}

TEST(SummaryText, APullSaysWhatWasProven) {
  ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  ::tzset();
  ManifestHeader manifest = a_manifest();
  manifest.snapshot_ns = 1'795'136'405'000'000'000;
  PullReport report;
  report.bytes = manifest.bytes;
  report.whole = true;
  report.elapsed = 2s;
  const std::string start =
      "restored pg/app #1 22c3a2a55448 of 2026-11-20 02:00:05 +01:00: 955 MiB, 2.0 s (477.5 MiB/s), ";
  EXPECT_EQ(restored_text(manifest, report, false), start + "whole, XXH3 agrees");
  manifest.sha256 = Digest{};
  EXPECT_EQ(restored_text(manifest, report, false), start + "whole, SHA-256 agrees");
  report.whole = false;
  EXPECT_EQ(restored_text(manifest, report, false), start + "a range, its blocks checked");
  report.holes = 2;
  report.holes_bytes = 24000;
  EXPECT_EQ(restored_text(manifest, report, false),
            start + "with 2 holes of 24000 bytes, not compared with its digests");
  EXPECT_EQ(restored_text(manifest, report, true), start + "the consumer stopped before the end and exited with 0");
  ::unsetenv("TZ");
  ::tzset();
}

TEST(SummaryText, ACopyLeavesOutWhatDidNotHappen) {
  CopyReport report;
  report.elapsed = 1s;
  report.packs = 1;
  report.read_bytes = report.stored_bytes = 1 << 20;
  report.snapshots.resize(3);
  report.snapshots[0].outcome = SnapshotCopy::Outcome::kCopied;
  report.snapshots[1].outcome = SnapshotCopy::Outcome::kFenced;
  report.snapshots[2].outcome = SnapshotCopy::Outcome::kDamaged;
  EXPECT_EQ(copied_text(report, 2),
            "1 snapshot copied, 2 damaged here, 1 fenced; read 1 MiB, stored 1 MiB in 1 pack, 1.0 s");
}

TEST(SummaryText, ChecksCountInWords) {
  VerifyReport verified;
  verified.snapshots = 1;
  verified.blocks_referenced = 120;
  verified.packs = 2;
  verified.packs_bytes = 1 << 20;
  verified.elapsed = std::chrono::duration<double>(0.1);
  EXPECT_EQ(verified_text(verified), "verified 1 snapshot: 120 blocks in 2 packs (1 MiB), 0.1 s");
  ScrubReport scrubbed;
  scrubbed.objects = 12;
  scrubbed.bytes = 1 << 20;
  scrubbed.elapsed = std::chrono::duration<double>(0.5);
  EXPECT_EQ(scrubbed_text(scrubbed), "scrubbed 12 objects, 1 MiB, 0.5 s (2 MiB/s)");
}

TEST(SummaryText, ARatioThatSaysNothingIsNotPrinted) {
  EXPECT_EQ(ratio_text(0, 0), "-");
  EXPECT_EQ(ratio_text(100, 50), "2.00");
  EXPECT_EQ(ratio_text(1000, 50), "20.0");
  EXPECT_EQ(ratio_text(std::uint64_t{462'597} * 50, 50), "over 1000");
  EXPECT_EQ(ratio_text(100, 0), "over 1000");
}

}  // namespace
}  // namespace drs
