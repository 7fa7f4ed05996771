// Damage marks and verify: a mark names blocks and shows where to look, but proves nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "engine/repository/damage.h"
#include "engine/repository/pack_catalog.h"
#include "sinks/object_io.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/check_runs.h"

namespace drs::test {
namespace {

class DamageMarksTest : public StoredRepositoryTest {
 protected:
  [[nodiscard]] bool is_marked_whole(const Digest& pack) const {
    const auto marks = marks_of(pack);
    return std::any_of(marks.begin(), marks.end(),
                       [&](const std::string& name) { return decode_damaged(stored_.object(name))->blocks.empty(); });
  }
  void run_with_hook(const std::shared_ptr<StoreHook>& hook, const VerifySettings& settings) {
    run_ = run_verify(stored_, settings, [&](Repository& repository) {
      repository.replace_store(std::make_unique<HookStore>(stored_.store(), hook));
    });
    ASSERT_FALSE(run_.error) << run_.error->message;
  }
  CheckRun run_;
};

TEST_F(DamageMarksTest, AMarkNamesTheDamagedBlocks) {
  VerifySettings settings;
  settings.read_only = false;
  const BlockRecord& block = stored_.block_x.record;
  flip(stored_.pack_first, block.offset_bytes);
  run_verify(stored_, settings);
  const auto marks = marks_of(stored_.pack_first_digest);
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_EQ(decode_damaged(stored_.object(marks.front()))->blocks,
            (std::vector<DamagedBlock>{{block.offset_bytes, block.sealed_bytes}}));
  // The pack's other blocks stay usable.
  const auto repository = stored_.open();
  const auto packs = PackCatalog::load(**repository);
  const PackInfo* const pack = packs->find(stored_.pack_first_digest);
  EXPECT_FALSE(packs->usable(*pack, block.offset_bytes, block.sealed_bytes));
  EXPECT_TRUE(packs->usable(*pack, block.offset_bytes + block.sealed_bytes, 1));
  EXPECT_TRUE(packs->usable(*pack, 0, block.offset_bytes));
}

TEST_F(DamageMarksTest, APackThatIsListedAndNotThereIsMarkedWholeByEveryVerify) {
  for (const bool rebuild : {false, true}) {
    stored_.reset();
    run_with_hook(only_listed({stored_.pack_second}), {.read_data = false, .read_only = false, .rebuild = rebuild});
    EXPECT_TRUE(is_marked_whole(stored_.pack_second_digest)) << described(run_.report.findings);
    EXPECT_EQ(run_.report.marked, 1U);
  }
}

TEST_F(DamageMarksTest, APackThatItsStoreCannotReadIsMarkedWholeByEveryVerify) {
  for (const bool rebuild : {false, true}) {
    stored_.reset();
    const auto hook = std::make_shared<StoreHook>();
    *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      if (operation == "get" && key == stored_.pack_second) return Error(ErrorCode::kIo, "get", EIO);
      return std::nullopt;
    };
    run_with_hook(hook, {.read_data = false, .read_only = false, .rebuild = rebuild});
    EXPECT_TRUE(is_marked_whole(stored_.pack_second_digest)) << described(run_.report.findings);
    EXPECT_TRUE(run_.detected());
  }
}

TEST_F(DamageMarksTest, APackThatIsDeletedWhileVerifyRunsIsDamageAndGetsNoMark) {
  const auto hook = std::make_shared<StoreHook>();
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "get" && key == stored_.pack_second) stored_.objects->erase(std::string(key));
    return std::nullopt;
  };
  run_with_hook(hook, {.read_data = false, .read_only = false});
  EXPECT_TRUE(run_.detected());
  EXPECT_FALSE(is_marked(stored_.pack_second_digest));
}

TEST_F(DamageMarksTest, AForgedMarkIsReadAndTakenBackAndIsNoDamage) {
  const auto store = stored_.store();
  const std::string lie = "x\x1b[2J\nno damage found";
  ASSERT_TRUE(mark_damaged(*store, stored_.clock, stored_.pack_first_digest, {.found_by = lie, .problem = lie}).ok());
  ASSERT_TRUE(put_object(*store, damaged_name(stored_.pack_second_digest, Uuid()), Bytes(100)).ok());
  VerifySettings settings;
  settings.read_data = false;
  CheckRun run = run_verify(stored_, settings);
  EXPECT_FALSE(run.detected()) << described(run.report.findings);
  EXPECT_EQ(run.report.packs_read, 2U);
  settings.read_only = false;
  run = run_verify(stored_, settings);
  EXPECT_FALSE(run.detected()) << described(run.report.findings);
  EXPECT_EQ(run.report.unmarked, 2U);
  EXPECT_FALSE(is_marked(stored_.pack_first_digest) || is_marked(stored_.pack_second_digest));
}

TEST_F(DamageMarksTest, AMarkedPackIsReadAlsoWhenStructureAloneIsChecked) {
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);
  const auto store = stored_.store();
  ASSERT_TRUE(
      mark_damaged(*store, stored_.clock, stored_.pack_first_digest, {.found_by = "scrub", .problem = "SHA-256"}).ok());
  VerifySettings settings;
  settings.read_data = false;
  const CheckRun run = run_verify(stored_, settings);
  ASSERT_NE(run.about(stored_.pack_first), nullptr) << described(run.report.findings);
  EXPECT_GT(run.about(stored_.pack_first)->affected_count, 0U);
}

TEST_F(DamageMarksTest, TellsEachDamagedSnapshotAndTheNewestIntactOneOfItsStream) {
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);  // db 1 and db 2 need it, gone 3 does not
  const CheckRun run = run_verify(stored_);
  ASSERT_EQ(run.report.damaged_snapshots.size(), 2U);
  EXPECT_EQ(run.report.damaged_snapshots[0].stream, "db");
  EXPECT_EQ(run.report.damaged_snapshots[0].sequence, 1U);
  EXPECT_EQ(run.report.damaged_snapshots[1].sequence, 2U);
  EXPECT_GT(run.report.damaged_snapshots[1].bytes, 0U);
  ASSERT_EQ(run.report.hit_streams.size(), 1U);
  EXPECT_EQ(run.report.hit_streams[0].stream, "db");
  EXPECT_TRUE(run.report.hit_streams[0].intact.id.empty());
  EXPECT_TRUE(run.report.hit_streams[0].unchecked.id.empty());
  EXPECT_EQ(run.report.hit_streams[0].readable, 2U);
}

TEST_F(DamageMarksTest, WhatRebuildingOneSnapshotFindsDamagedIsToldOfEveryOtherThatNeedsIt) {
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);  // db 1 and db 2 need it, gone 3 does not
  VerifySettings settings;
  settings.read_data = false;
  settings.rebuild_id = stored_.session_1.hex();
  const CheckRun run = run_verify(stored_, settings);
  ASSERT_NE(run.about(stored_.pack_first), nullptr) << described(run.report.findings);
  EXPECT_EQ(run.about(stored_.pack_first)->affected_count, 2U);
  EXPECT_EQ(run.report.damaged_snapshots.size(), 2U);
  ASSERT_EQ(run.report.hit_streams.size(), 1U);
  EXPECT_TRUE(run.report.hit_streams[0].intact.id.empty());
  EXPECT_TRUE(run.report.hit_streams[0].unchecked.id.empty());
}

TEST_F(DamageMarksTest, ASnapshotThatIsRebuiltWholeIsNotCalledDamagedForWhatAnEarlierReadSaid) {
  // A disk fails while packs are read, and works again when the first manifest is read afterwards.
  std::atomic<bool> failed = false;
  std::atomic<bool> recovered = false;
  const auto hook = std::make_shared<StoreHook>();
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get") return std::nullopt;
    if (key.starts_with("manifests/")) recovered = failed.load();
    if (key != stored_.pack_second || recovered) return std::nullopt;
    failed = true;
    return Error(ErrorCode::kIo, "get", EIO);
  };
  run_with_hook(hook, {.rebuild_id = stored_.session_3.hex()});
  EXPECT_EQ(run_.report.snapshots_rebuilt, 1U);
  EXPECT_NE(run_.about(stored_.pack_second), nullptr);
  ASSERT_EQ(run_.report.damaged_snapshots.size(), 1U) << described(run_.report.findings);
  EXPECT_EQ(run_.report.damaged_snapshots[0].snapshot_id, stored_.session_2.hex());
  ASSERT_EQ(run_.report.hit_streams.size(), 1U);
  EXPECT_EQ(run_.report.hit_streams[0].stream, "db");
}

TEST_F(DamageMarksTest, OnlyASnapshotOfWhichAllWasReadIsCalledIntact) {
  flip(stored_.pack_second, stored_.block_z.record.offset_bytes);  // db 2 and gone 3 need it, db 1 does not
  VerifySettings settings;
  settings.read_data = false;
  settings.rebuild_id = stored_.session_2.hex();
  const CheckRun unread = run_verify(stored_, settings);
  ASSERT_EQ(unread.report.hit_streams.size(), 2U);
  EXPECT_EQ(unread.report.hit_streams[0].intact.id, "");
  EXPECT_EQ(unread.report.hit_streams[0].unchecked.id, stored_.session_1.hex());
  settings.rebuild = true;
  const CheckRun rebuilt = run_verify(stored_, settings);
  ASSERT_EQ(rebuilt.report.hit_streams.size(), 2U);
  EXPECT_EQ(rebuilt.report.hit_streams[0].intact.id, stored_.session_1.hex());
  EXPECT_EQ(rebuilt.report.hit_streams[0].unchecked.id, "");
  const CheckRun read = run_verify(stored_);
  ASSERT_EQ(read.report.hit_streams.size(), 2U);
  EXPECT_EQ(read.report.hit_streams[0].intact.id, stored_.session_1.hex());
  EXPECT_EQ(read.report.hit_streams[0].unchecked.id, "");
}

}  // namespace
}  // namespace drs::test
