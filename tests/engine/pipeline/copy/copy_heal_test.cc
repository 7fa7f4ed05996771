// A copy into a replica that has lost some of its objects.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/pipeline/copy/copy.h"
#include "engine/repository/damage.h"
#include "tests/engine/pipeline/copy/copy_runs.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/stored_repository.h"

namespace drs::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Outcome = SnapshotCopy::Outcome;

class CopyHealTest : public ReplicaFixture {
 protected:
  void SetUp() override {
    ReplicaFixture::SetUp();
    const auto report = copy();
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(report->count(Outcome::kCopied), 3U);
  }
  Result<CopyReport> copy(bool look_through_present = false) {
    DRS_ASSIGN_OR_RETURN(const auto target, target_.open());
    return copy_all(*source_, *target, false, look_through_present);
  }
  void condemn(const Digest& pack) {
    const std::string name = condemned_name(Uuid{});
    target_.objects->insert(
        name, encode_document(source_->keys(), ObjectKind::kCondemned, name, encode_condemned({1, {pack}})), 0);
  }
};

TEST_F(CopyHealTest, APackThatTheTargetHasLostIsCopiedAgainAndTold) {
  for (const std::string& pack : {stored_.pack_first, stored_.pack_second}) {
    target_.objects->erase(pack);
    const auto report = copy();
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->count(Outcome::kHealed), 1U);
    EXPECT_EQ(report->count(Outcome::kPresent), 2U);
    EXPECT_EQ(report->packs, 1U);
    EXPECT_THAT(report->warnings, testing::ElementsAre(HasSubstr("the target had lost 1 packs")));
    EXPECT_THAT(findings_of(target_), IsEmpty());
  }
}

TEST_F(CopyHealTest, APackWithNeitherItselfNorItsIndexLeftIsLookedForInASnapshotThatIsNamed) {
  target_.objects->erase(stored_.pack_first);
  target_.objects->erase(stored_.index_first);
  const auto report = copy(true);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kHealed), 1U);
  EXPECT_TRUE(target_.names().contains(stored_.index_first));
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(CopyHealTest, ALostIndexObjectOfThePacksThatAreLeftIsReasonToLook) {
  for (const std::string& index : target_.names("index/")) target_.objects->erase(index);
  target_.objects->erase(stored_.pack_first);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kHealed), 1U);
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

// The source has a pack that no snapshot needs, so it always has more packs than the target.
TEST_F(CopyHealTest, ReadsNoRecipesWhereTheTargetHasLostNothing) {
  std::size_t reads = 0;
  const auto hook = std::make_shared<StoreHook>();
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "get" && (key == stored_.pack_first || key == stored_.pack_second)) ++reads;
    return std::nullopt;
  };
  source_->replace_store(std::make_unique<HookStore>(stored_.store(), hook));
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kPresent), 3U);
  EXPECT_EQ(reads, 0U);
  ASSERT_TRUE(copy(true).ok());
  EXPECT_GT(reads, 0U);
}

TEST_F(CopyHealTest, APackThatOneListOfTheTargetLacksIsNotLost) {
  struct ForgetfulStore final : HookStore {
    using HookStore::HookStore;
    Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
      return HookStore::list_together(prefixes, [&](const ObjectInfo& info) -> Result<void> {
        if (info.key == forgotten && !std::exchange(shown, true)) return {};
        return visit(info);
      });
    }
    std::string forgotten;
    bool shown = false;
  };
  auto store = std::make_unique<ForgetfulStore>(target_.store(), std::make_shared<StoreHook>());
  store->forgotten = stored_.pack_first;
  const ForgetfulStore& forgetful = *store;
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  (*target)->replace_store(std::move(store));
  const auto report = copy_all(*source_, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(forgetful.shown);
  EXPECT_EQ(report->count(Outcome::kPresent), 3U);
  EXPECT_EQ(report->packs, 0U);
}

TEST_F(CopyHealTest, ADamagedPackThatAMarkNamesIsToldAndStoredAnewOnceItIsRemoved) {
  Bytes bytes = stored_.object(stored_.pack_first);
  bytes[stored_.block_x.record.offset_bytes] ^= 1;
  target_.objects->damage(stored_.pack_first, bytes);
  ASSERT_TRUE(mark_damaged(*target_.store(), target_.clock, stored_.pack_first_digest,
                           {.found_by = "verify", .problem = "a bit"})
                  .ok());
  const auto told = copy();
  ASSERT_TRUE(told.ok()) << told.error().message;
  EXPECT_EQ(told->count(Outcome::kDamagedThere), 2U);
  EXPECT_THAT(told->snapshots.front().problem, HasSubstr(stored_.pack_first));
  EXPECT_THAT(told->snapshots.front().problem, HasSubstr("run `drstream repair packs` in the target"));
  target_.objects->erase(stored_.pack_first);
  const auto healed = copy();
  ASSERT_TRUE(healed.ok()) << healed.error().message;
  EXPECT_EQ(healed->count(Outcome::kHealed), 1U);
  EXPECT_EQ(healed->count(Outcome::kPresent), 2U);
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(CopyHealTest, APackOfAnotherSizeIsToldWithoutAMark) {
  Bytes longer = stored_.object(stored_.pack_first);
  longer.push_back(0);
  target_.objects->damage(stored_.pack_first, longer);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kDamagedThere), 2U);
}

TEST_F(CopyHealTest, APackThatIsDamagedInTheSourceTooIsTold) {
  target_.objects->erase(stored_.pack_first);
  Bytes bytes = stored_.object(stored_.pack_first);
  bytes[stored_.block_x.record.offset_bytes] ^= 1;
  stored_.objects->damage(stored_.pack_first, bytes);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kDamaged), 2U);
  EXPECT_FALSE(target_.names().contains(stored_.pack_first));
}

TEST_F(CopyHealTest, BlocksOfAPackThatTheTargetHasCondemnedAndDeletedAreMoved) {
  target_.objects->erase(stored_.pack_first);
  condemn(stored_.pack_first_digest);
  const auto report = copy(true);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kHealed), 1U);
  EXPECT_EQ(report->count(Outcome::kPresent), 2U);
  EXPECT_FALSE(target_.names().contains(stored_.pack_first));
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(CopyHealTest, AManifestOfANewerVersionInTheTargetIsNoDamage) {
  constexpr std::size_t kVersionAt = 7;
  Bytes newer = stored_.object(stored_.manifest_1);
  newer[kVersionAt] = 9;
  const Digest digest = sha256(ByteView(newer).first(newer.size() - Digest::kBytes));
  std::copy(digest.data.begin(), digest.data.end(), newer.end() - Digest::kBytes);
  target_.objects->damage(stored_.manifest_1, newer);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kDamagedThere), 0U);
  ASSERT_EQ(report->snapshots.front().outcome, Outcome::kSkipped);
  EXPECT_EQ(report->snapshots.front().reason, ErrorCode::kFormatTooNew);
  EXPECT_THAT(report->snapshots.front().problem, HasSubstr(stored_.manifest_1));
}

TEST_F(CopyHealTest, WarnsWhereTheMarksOfTheTargetCannotBeListed) {
  const auto hook = std::make_shared<StoreHook>();
  *hook = [](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "list" && key == "damaged/") return Error(ErrorCode::kDenied, "damaged/ may not be listed");
    return std::nullopt;
  };
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  (*target)->replace_store(std::make_unique<HookStore>(target_.store(), hook));
  const auto report = copy_all(*source_, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(report->warnings, testing::ElementsAre(HasSubstr("which packs are marked as damaged is not known")));
}

}  // namespace
}  // namespace drs::test
