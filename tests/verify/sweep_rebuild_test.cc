// Sweeps that rebuild whole snapshots.
#include <gmock/gmock.h>

#include "engine/format/document.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "sinks/object_io.h"
#include "tests/verify/sweep_fixture.h"

namespace drs::test {
namespace {

class SweepRebuildTest : public SweepTest {
 protected:
  SweepRebuildTest() {
    options_.level = SweepLevel::kRebuild;
    leave_out_structure();
  }
  // Whether the snapshot was rebuilt and equal, by all records; empty: it was not rebuilt.
  [[nodiscard]] std::optional<bool> rebuilt_well(const std::string& manifest) const {
    const Evidence all = evidence();
    const RebuildProof* const proof = all.rebuilt(document_identity(stored_.object(manifest)));
    return proof == nullptr ? std::nullopt : std::optional(proof->well);
  }
  // As a forget does.
  void remove_snapshot(const std::string& manifest) {
    const auto repository = stored_.open(store(), clock_);
    RemovedMark mark;
    mark.manifest_name = manifest;
    mark.manifest_digest = document_identity(stored_.object(manifest));
    mark.sequence = 2;
    for (const char* stream : {"db", "gone"}) {
      const StreamTag tag = (*repository)->keys().stream_tag(stream);
      if (manifest.starts_with("manifests/" + tag.hex())) mark.stream = stream;
    }
    const std::string name = removed_name(manifest);
    const Bytes object = encode_document((*repository)->keys(), ObjectKind::kRemoved, name, encode_removed(mark));
    ASSERT_TRUE(put_object((*repository)->store(), name, object).ok());
  }
};

TEST_F(SweepRebuildTest, ReadsEverySnapshotOnceAndRecordsThatItIsWell) {
  SweepOutcome run = sweep();
  ASSERT_FALSE(run.error) << run.error->message;
  EXPECT_TRUE(run.report.findings.empty()) << described(run.report.findings);
  EXPECT_EQ(run.sweep.due_snapshots, 3U);
  EXPECT_EQ(run.report.snapshots_rebuilt, 3U);
  EXPECT_EQ(run.sweep.left_snapshots, 0U);
  EXPECT_EQ(run.report.rebuilt_bytes,
            stored_.stream_1.size() + stored_.stream_2.size() + stored_.block_z.record.raw_bytes);
  for (const std::string& manifest : {stored_.manifest_1, stored_.manifest_2, stored_.manifest_3})
    EXPECT_EQ(rebuilt_well(manifest), true);
  EXPECT_EQ(run.sweep.coverage.proven_packs, 0U) << "blocks that a snapshot needs are no whole packs";
  run = sweep();
  EXPECT_EQ(run.sweep.due_snapshots, 0U);
  EXPECT_EQ(run.sweep.records, 0U);
}

TEST_F(SweepRebuildTest, WithABudgetRebuildsOneAfterTheOtherTheNewestFirst) {
  options_.budget_bytes = 1;
  for (std::uint64_t left = 3; left > 0; --left) {
    EXPECT_EQ(rebuilt_well(stored_.manifest_1), std::nullopt) << "each stream has a newer one";
    const SweepOutcome run = sweep();
    EXPECT_EQ(run.report.snapshots_rebuilt, 1U);
    EXPECT_EQ(run.sweep.left_snapshots, left - 1);
    EXPECT_EQ(run.sweep.budget_used, left > 1);
  }
  EXPECT_EQ(rebuilt_well(stored_.manifest_1), true);
  EXPECT_EQ(sweep().sweep.due_snapshots, 0U);
}

TEST_F(SweepRebuildTest, OfDamageNamesTheSnapshotsAndTriesThemAgainNextTime) {
  flip(stored_.pack_second, stored_.block_z.record.offset_bytes);
  const SweepOutcome run = sweep();
  ASSERT_FALSE(run.error) << run.error->message;
  EXPECT_TRUE(run.has(Finding::Severity::kDamage)) << described(run.report.findings);
  EXPECT_EQ(run.report.snapshots_rebuilt, 1U);
  ASSERT_EQ(run.report.damaged_snapshots.size(), 2U);
  EXPECT_EQ(run.report.damaged_snapshots[0].stream, "db");
  EXPECT_EQ(run.report.damaged_snapshots[1].stream, "gone");
  EXPECT_TRUE(is_marked(stored_.pack_second_digest));
  EXPECT_EQ(rebuilt_well(stored_.manifest_1), true);
  EXPECT_EQ(rebuilt_well(stored_.manifest_2), false);
  EXPECT_EQ(rebuilt_well(stored_.manifest_3), false);
  clock_.move(std::chrono::hours(1));
  EXPECT_EQ(sweep().sweep.due_snapshots, 2U);
  flip(stored_.pack_second, stored_.block_z.record.offset_bytes);
  clock_.move(std::chrono::hours(1));
  EXPECT_EQ(sweep().report.snapshots_rebuilt, 2U);
  EXPECT_EQ(rebuilt_well(stored_.manifest_2), true);
}

TEST_F(SweepRebuildTest, ADigestThatIsNotThatOfTheBytesIsDamage) {
  const std::string archive = stored_.add_archive([](Manifest& manifest) {
    manifest.content = ManifestContent::kTopicSegments;  // there is no catalogue to check
    manifest.streams.back().xxh3.data[0] ^= 1;
  });
  const SweepOutcome run = sweep();
  ASSERT_NE(run.about(archive), nullptr) << described(run.report.findings);
  EXPECT_EQ(rebuilt_well(archive), false);
  EXPECT_EQ(run.report.snapshots_rebuilt, 3U);
}

TEST_F(SweepRebuildTest, ASnapshotThatIsRemovedMeanwhileIsNoDamage) {
  bool removed = false;
  const SweepOutcome run = sweep([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get" || key != stored_.pack_second || removed) return std::nullopt;
    removed = true;
    for (const std::string& manifest : {stored_.manifest_2, stored_.manifest_3}) remove_snapshot(manifest);
    stored_.objects->erase(stored_.pack_second);
    return std::nullopt;
  });
  ASSERT_FALSE(run.error) << run.error->message;
  EXPECT_TRUE(removed);
  EXPECT_FALSE(run.detected()) << described(run.report.findings);
  EXPECT_EQ(run.report.snapshots_rebuilt, 1U);
  EXPECT_EQ(rebuilt_well(stored_.manifest_1), true);
  EXPECT_EQ(rebuilt_well(stored_.manifest_2), std::nullopt);
}

TEST_F(SweepRebuildTest, ThatIsStoppedKeepsTheSnapshotsThatWereRebuilt) {
  options_.record_every = std::chrono::nanoseconds(0);
  const SweepOutcome run = sweep([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "put" && key.starts_with("verified/")) cancel_.cancel();
    return std::nullopt;
  });
  ASSERT_TRUE(run.error);
  EXPECT_EQ(run.error->code, ErrorCode::kCancelled);
  EXPECT_EQ(records().size(), 1U);
  int well = 0;
  for (const std::string& manifest : {stored_.manifest_1, stored_.manifest_2, stored_.manifest_3})
    well += rebuilt_well(manifest) == true ? 1 : 0;
  EXPECT_EQ(well, 1);
}

}  // namespace
}  // namespace drs::test
