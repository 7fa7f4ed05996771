#include "engine/pipeline/copy/copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/format/retention.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/pack_table.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"
#include "tests/engine/pipeline/copy/copy_runs.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/stored_repository.h"
#include "verify/verify.h"

namespace drs::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Outcome = SnapshotCopy::Outcome;

class ReplicaCopyTest : public ReplicaFixture {
 protected:
  Result<CopyReport> copy(bool mirror = false, std::shared_ptr<FaultPlan> plan = nullptr) {
    DRS_ASSIGN_OR_RETURN(const auto target, target_.open(std::move(plan)));
    return copy_all(*source_, *target, mirror);
  }
};

TEST_F(ReplicaCopyTest, HasTheSourcesIdKeyAndConfigsAndASlotOfItsOwn) {
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  EXPECT_TRUE(is_replica(*source_, **target));
  EXPECT_EQ((*target)->config_digest(), source_->config_digest());
  EXPECT_EQ(target_.names("config/"), (std::set<std::string>{stored_.config_1, stored_.config_2}));
  EXPECT_EQ(target_.names("keys/").size(), 1U);
  EXPECT_FALSE(target_.names("keys/").contains(stored_.slot_1));
  const auto again = Repository::init_replica(*target_.store(), *source_, {raw_key(90), ""});
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(Repository::init_replica(*Target().store(), *source_, {Secret{}, ""}).error().code, ErrorCode::kUsage);
}

TEST_F(ReplicaCopyTest, TakesWhatTheSnapshotsNeedAndNothingElse) {
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->replica);
  EXPECT_EQ(report->count(Outcome::kCopied), 3U);
  EXPECT_EQ(report->packs, 2U);
  for (const std::string& name : {stored_.pack_first, stored_.pack_second, stored_.index_first, stored_.manifest_1,
                                  stored_.manifest_2, stored_.manifest_3, stored_.removed})
    EXPECT_EQ(*target_.objects->find(name)->bytes, stored_.object(name)) << name;
  // The second index object names a pack that no snapshot needs: a new one was written without it.
  EXPECT_FALSE(target_.names().contains(stored_.pack_orphan));
  EXPECT_FALSE(target_.names().contains(stored_.index_second));
  EXPECT_EQ(target_.names("index/").size(), 2U);
  EXPECT_THAT(target_.names("sessions/"), IsEmpty());
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, AsksForNoMemoryForASizeThatOnlyAListNames) {
  const std::string pack = "packs/aa/" + std::string(64, 'a');
  const std::string index = "index/" + std::string(64, 'b');
  for (const std::uint64_t bytes : {std::uint64_t{UINT64_MAX}, std::uint64_t{300 * kMiB}}) {
    target_ = Target();
    target_.init_replica(*source_);
    for (const std::string& name : {pack, index}) stored_.objects->insert(name, Bytes(5), 0);
    const auto lengthen = [&](ObjectInfo& info) {
      if (info.key == pack || info.key == index || info.key == stored_.pack_orphan) info.size_bytes = bytes;
    };
    source_->replace_store(
        std::make_unique<test::HookStore>(stored_.store(), std::make_shared<test::StoreHook>(), lengthen));
    const auto report = copy();
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->count(Outcome::kCopied), 3U);
    EXPECT_THAT(findings_of(target_), IsEmpty());
  }
}

TEST_F(ReplicaCopyTest, PassesOverASnapshotForWhichTheMemoryDoesNotSuffice) {
  struct HungryStore final : test::HookStore {
    using HookStore::HookStore;
    [[nodiscard]] StoreTraits traits() const override {
      StoreTraits traits = HookStore::traits();
      traits.operation_bytes = 500 * kMiB;
      return traits;
    }
  };
  source_->replace_store(std::make_unique<HungryStore>(stored_.store(), std::make_shared<test::StoreHook>()));
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kSkipped), 3U);
  EXPECT_EQ(report->snapshots.front().reason, ErrorCode::kUsage);
  EXPECT_THAT(report->snapshots.front().problem, HasSubstr("--memory must be"));
  EXPECT_THAT(target_.names("manifests/"), IsEmpty());
}

TEST_F(ReplicaCopyTest, FindsWhatIsThereAndCopiesNothingTwice) {
  ASSERT_TRUE(copy().ok());
  const std::set<std::string> before = target_.names();
  const auto again = copy();
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->count(Outcome::kPresent), 3U);
  EXPECT_EQ(again->packs + again->index_objects + again->removal_marks + again->read_bytes, 0U);
  EXPECT_EQ(target_.names(), before);
}

TEST_F(ReplicaCopyTest, NamesADamagedPackAndCopiesWhatDoesNotNeedIt) {
  Bytes bytes = stored_.object(stored_.pack_first);
  bytes[100] ^= 1;
  stored_.objects->damage(stored_.pack_first, bytes);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kDamaged), 2U);
  EXPECT_EQ(report->count(Outcome::kCopied), 1U);
  for (const SnapshotCopy& copy : report->snapshots)
    if (copy.outcome == Outcome::kDamaged) {
      EXPECT_THAT(copy.problem, HasSubstr(stored_.pack_first));
    }
  EXPECT_FALSE(target_.names().contains(stored_.pack_first));
  EXPECT_EQ(target_.names("manifests/"), std::set<std::string>{stored_.manifest_3});
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, LetsRemovalsFollowOnlyInAMirror) {
  ASSERT_TRUE(copy().ok());
  const std::string mark = removed_name(stored_.manifest_3);
  RemovedMark removed;
  removed.manifest_name = stored_.manifest_3;
  removed.stream = "gone";
  stored_.objects->insert(mark, encode_document(source_->keys(), ObjectKind::kRemoved, mark, encode_removed(removed)),
                          0);
  ASSERT_TRUE(copy().ok());
  EXPECT_FALSE(target_.names().contains(mark));
  const auto mirrored = copy(true);
  ASSERT_TRUE(mirrored.ok()) << mirrored.error().message;
  EXPECT_EQ(mirrored->removal_marks, 1U);
  const auto target = target_.open();
  const auto live = load_snapshots(**target);
  EXPECT_EQ(live->live.size(), 2U);
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, CarriesRetiredEntriesAsMarksOfItsOwn) {
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->removal_marks, 2U);
  EXPECT_THAT(target_.names("retired/"), IsEmpty());
  const std::string mark = removed_name(stored_.retired_manifest);
  EXPECT_EQ(target_.names("removed/"), (std::set<std::string>{stored_.removed, mark}));
  const auto opened = open_removed(source_->keys(), mark, *target_.objects->find(mark)->bytes);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->manifest_name, stored_.retired_manifest);
  EXPECT_EQ(opened->stream, "gone");
  EXPECT_EQ(opened->sequence, 1U);
  EXPECT_EQ(opened->removed_ns, 5);
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, LetsRetiredEntriesOfWhatIsLiveThereFollowOnlyInAMirror) {
  ASSERT_TRUE(copy().ok());
  Retired retired;
  retired.stream = "db";
  retired.tag = source_->keys().stream_tag("db");
  retired.entries = {{stored_.session_1, document_identity(stored_.object(stored_.manifest_1)), 1, 5}};
  const std::string name = retired_name(retired.tag, Uuid{});
  stored_.objects->insert(name, encode_document(source_->keys(), ObjectKind::kRetired, name, encode_retired(retired)),
                          0);
  stored_.objects->erase(stored_.manifest_1);
  const std::string mark = removed_name(stored_.manifest_1);
  ASSERT_TRUE(copy().ok());
  EXPECT_FALSE(target_.names().contains(mark));
  const auto mirrored = copy(true);
  ASSERT_TRUE(mirrored.ok()) << mirrored.error().message;
  EXPECT_EQ(mirrored->removal_marks, 1U);
  EXPECT_TRUE(target_.names().contains(mark));
  EXPECT_THAT(target_.names("retired/"), IsEmpty());
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, AMarkThatIsRetiredWhileItIsCopiedIsCarriedAllTheSame) {
  int reads = 0;
  const auto hook =
      std::make_shared<test::StoreHook>([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
        // The first read is that of the snapshots.
        if (operation == "get" && key == stored_.removed && ++reads == 2) stored_.objects->erase(stored_.removed);
        return std::nullopt;
      });
  source_->replace_store(std::make_unique<test::HookStore>(stored_.store(), hook));
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(reads, 2);
  EXPECT_THAT(report->warnings, IsEmpty());
  EXPECT_EQ(report->removal_marks, 2U);
  EXPECT_TRUE(target_.names().contains(stored_.removed));
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, DoesNotBringBackWhatWasRemovedInTheTarget) {
  const std::string mark = removed_name(stored_.manifest_1);
  RemovedMark removed;
  removed.manifest_name = stored_.manifest_1;
  removed.stream = "db";
  target_.objects->insert(mark, encode_document(source_->keys(), ObjectKind::kRemoved, mark, encode_removed(removed)),
                          0);
  const auto report = copy();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->count(Outcome::kRemoved), 1U);
  EXPECT_FALSE(target_.names().contains(stored_.manifest_1));
}

TEST_F(ReplicaCopyTest, MovesBlocksOfPacksThatAPruneOfTheTargetIsAboutToDelete) {
  target_.objects->insert(stored_.pack_first, stored_.object(stored_.pack_first), 0);
  const std::string name = condemned_name(Uuid{});
  CondemnedPacks condemned;
  condemned.packs = {stored_.pack_first_digest};
  target_.objects->insert(
      name, encode_document(source_->keys(), ObjectKind::kCondemned, name, encode_condemned(condemned)), 0);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 3U);
  // The prune deletes it: what the snapshots need lies elsewhere.
  target_.objects->erase(stored_.pack_first);
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

// The record appears when all packs of the snapshot are there.
TEST_F(ReplicaCopyTest, StopsWhereAPruneOfTheTargetCondemnsAPackThatItReliesOn) {
  const std::string record = condemned_name(Uuid{});
  const auto hook = std::make_shared<test::StoreHook>();
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  (*target)->replace_store(std::make_unique<test::HookStore>(target_.store(), hook));
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "put" && key.starts_with("index/"))
      target_.objects->insert(record,
                              encode_document(source_->keys(), ObjectKind::kCondemned, record,
                                              encode_condemned({1, {stored_.pack_first_digest}})),
                              0);
    return std::nullopt;
  };
  const auto report = copy_all(*source_, **target);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kConflict);
  EXPECT_THAT(report.error().message, HasSubstr(stored_.pack_first));
  EXPECT_FALSE(target_.names().contains(stored_.manifest_1));
}

// It sleeps for longer than a session may: a prune of the target fences it, and deletes the pack of the blocks that it
// has moved.
TEST_F(ReplicaCopyTest, ThatWasFencedSaysSoAndNotThatItsPacksAreGone) {
  const std::string record = condemned_name(Uuid{});
  const CondemnedPacks condemned{.condemned_ns = 1, .packs = {stored_.pack_first_digest}};
  target_.objects->insert(
      record, encode_document(source_->keys(), ObjectKind::kCondemned, record, encode_condemned(condemned)), 0);
  const auto hook = std::make_shared<test::StoreHook>();
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  (*target)->replace_store(std::make_unique<test::HookStore>(target_.store(), hook));
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get" || !key.starts_with("packs/") || !target_.objects->erase(std::string(key)))
      return std::nullopt;
    for (const std::string& name : target_.names("sessions/")) {
      const auto parsed = parse_name(name);
      const std::string fence = manifest_name(parsed->tag, parsed->uuid);
      target_.objects->insert(
          fence,
          encode_document(source_->keys(), ObjectKind::kFence, fence, encode_fence({parsed->uuid, "copy", 1, "prune"})),
          0);
    }
    return std::nullopt;
  };
  const auto report = copy_all(*source_, **target);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kConflict) << report.error().message;
  EXPECT_THAT(report.error().message, HasSubstr("fence"));
}

TEST_F(ReplicaCopyTest, CopiesNothingThatAnUnreadableRecordOfTheTargetMayCondemn) {
  const std::string record = condemned_name(Uuid{});
  target_.objects->insert(record, Bytes(100), target_.clock.wall_ns());
  const auto refused = copy();
  ASSERT_TRUE(refused.ok()) << refused.error().message;
  EXPECT_EQ(refused->count(Outcome::kDamagedThere), 3U);
  EXPECT_THAT(refused->snapshots.front().problem, HasSubstr(record));
  EXPECT_THAT(refused->warnings, testing::ElementsAre(HasSubstr(record)));
  EXPECT_THAT(target_.names("packs/"), IsEmpty());
  EXPECT_THAT(target_.names("manifests/"), IsEmpty());
  // A pack that is younger than the record may have been put again after it was deleted.
  target_.objects->erase(record);
  ASSERT_TRUE(copy().ok());
  for (const std::string& manifest : target_.names("manifests/")) target_.objects->erase(manifest);
  target_.objects->insert(record, Bytes(100), 1);
  const auto again = copy();
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->count(Outcome::kDamagedThere), 3U);
  EXPECT_THAT(target_.names("manifests/"), IsEmpty());
  target_.objects->erase(record);
  const auto copied = copy();
  ASSERT_TRUE(copied.ok()) << copied.error().message;
  EXPECT_EQ(copied->count(Outcome::kCopied), 3U);
}

TEST_F(ReplicaCopyTest, ARecordThatAppearsUnreadableBeforeTheCommitStopsIt) {
  const std::string record = condemned_name(Uuid{});
  const auto hook = std::make_shared<test::StoreHook>();
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  (*target)->replace_store(std::make_unique<test::HookStore>(target_.store(), hook));
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    // A prune ends during the copy, and its record is damaged.
    if (operation == "put" && key.starts_with("packs/")) target_.objects->insert(record, Bytes(100), 1);
    return std::nullopt;
  };
  const auto report = copy_all(*source_, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 0U);
  EXPECT_THAT(target_.names("manifests/"), IsEmpty());
}

TEST_F(ReplicaCopyTest, TakesWhatEveryStreamOfASnapshotNeeds) {
  const std::string archive =
      stored_.add_archive([](Manifest& manifest) { manifest.content = ManifestContent::kTopicSegments; });
  for (const std::string& name : {stored_.manifest_1, stored_.manifest_2, stored_.manifest_3})
    stored_.objects->erase(name);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 1U);
  EXPECT_EQ(report->packs, 2U);
  EXPECT_EQ(*target_.objects->find(archive)->bytes, stored_.object(archive));
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, PassesOverASnapshotWhoseNameIsFencedInTheTarget) {
  const auto parsed = parse_name(stored_.manifest_1);
  const Bytes fence = encode_document(source_->keys(), ObjectKind::kFence, stored_.manifest_1,
                                      encode_fence({parsed->uuid, "db", 1, "prune"}));
  target_.objects->insert(stored_.manifest_1, fence, 0);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kFenced), 1U);
  EXPECT_EQ(report->count(Outcome::kDamaged), 0U);
  EXPECT_EQ(report->count(Outcome::kCopied), 2U);
  EXPECT_EQ(*target_.objects->find(stored_.manifest_1)->bytes, fence);
  // The next one names it as its predecessor.
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  const auto catalog = load_snapshots(**target);
  ASSERT_TRUE(catalog.ok());
  ASSERT_EQ(catalog->missing.size(), 1U);
  EXPECT_THAT(catalog->missing.front().problem(), HasSubstr("If this is a replica"));
}

TEST_F(ReplicaCopyTest, NeverPutsAgainWhatAPruneOfTheTargetHasCondemnedAndDeleted) {
  const std::string name = condemned_name(Uuid{});
  target_.objects->insert(name,
                          encode_document(source_->keys(), ObjectKind::kCondemned, name,
                                          encode_condemned({1, {stored_.pack_first_digest}})),
                          0);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 3U);
  EXPECT_FALSE(target_.names().contains(stored_.pack_first));
  EXPECT_THAT(findings_of(target_), IsEmpty());
  // Nothing is moved or copied a second time.
  const auto names = target_.names();
  const auto again = copy();
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->packs, 0U);
  EXPECT_EQ(target_.names(), names);
}

// A prune of the source has moved blocks into a pack that the replica does not know; it has them in another.
TEST_F(ReplicaCopyTest, ReckonsByBlockWhatTheTargetHas) {
  ASSERT_TRUE(copy().ok());
  auto mover = BlockMover::make(*source_, source_->store(), {});
  ASSERT_TRUE(mover.ok());
  const auto size = stored_.object(stored_.pack_first).size();
  const auto table = read_pack_table(*source_, source_->store(), stored_.pack_first_digest, size);
  ASSERT_TRUE(table.ok());
  for (const TableBlock& block : table->blocks)
    ASSERT_TRUE(mover->move({stored_.pack_first_digest, *table, block}).ok());
  ASSERT_TRUE(mover->flush().ok());
  stored_.objects->erase(stored_.pack_first);
  target_.objects->erase(stored_.manifest_1);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 1U);
  EXPECT_EQ(report->packs, 0U);
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, LocksAnewAllThatItReusesInTheTarget) {
  ASSERT_TRUE(copy().ok());
  for (const std::string& manifest : {stored_.manifest_1, stored_.manifest_2, stored_.manifest_3})
    target_.objects->erase(manifest);
  target_.objects->lock_objects();
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 3U);
  EXPECT_EQ(report->packs, 0U);
  const auto retained = target_.objects->locked();
  for (const char* const prefix : {"packs/", "index/", "config/", "keys/"})
    for (const std::string& locked : target_.names(prefix)) EXPECT_TRUE(retained.contains(locked)) << locked;
  for (const std::string& pack : target_.names("packs/")) EXPECT_EQ(retained.at(pack), 1) << pack;
}

TEST_F(ReplicaCopyTest, TellsOfADamagedManifestInTheTarget) {
  target_.objects->insert(stored_.manifest_1, Bytes(40, 1), 0);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kDamagedThere), 1U);
  EXPECT_EQ(*target_.objects->find(stored_.manifest_1)->bytes, Bytes(40, 1));
}

TEST_F(ReplicaCopyTest, EveryFaultLeavesWholeSnapshotsAndTheNextRunFinishes) {
  for (const FaultKind kind : {FaultKind::kFail, FaultKind::kLoseReply}) {
    for (std::uint64_t nth = 1;; ++nth) {
      target_ = Target();
      target_.init_replica(*source_);
      const auto plan = std::make_shared<FaultPlan>();
      const auto target = target_.open(plan);
      ASSERT_TRUE(target.ok());
      plan->fail_nth(nth, {kind, kind == FaultKind::kFail ? ErrorCode::kNoSpace : ErrorCode::kUnavailable});
      const auto report = copy_all(*source_, **target);
      if (plan->faults() == 0) break;
      if (report.ok()) {
        EXPECT_EQ(report->count(Outcome::kCopied), 3U);
      }
      ASSERT_THAT(findings_of(target_), IsEmpty()) << nth;
      const auto again = copy();
      ASSERT_TRUE(again.ok()) << nth << ": " << again.error().message;
      EXPECT_EQ(again->count(Outcome::kCopied) + again->count(Outcome::kPresent), 3U) << nth;
      ASSERT_THAT(findings_of(target_), IsEmpty()) << nth;
    }
  }
}

}  // namespace
}  // namespace drs::test
