// Packs that a record names and whose tables cannot be read: they go only if nothing can depend on them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/format/pack.h"
#include "engine/pipeline/keeping/prune.h"
#include "tests/engine/pipeline/keeping/keeping_fixture.h"

namespace drs {
namespace {

using test::KeepingTest;
using test::random_stream;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kStreamBytes = 100'000;

class TablelessPackTest : public KeepingTest {
 protected:
  void SetUp() override {
    KeepingTest::SetUp();
    first_ = push_stream(random_stream(1, kStreamBytes));
    pack_ = *names("packs/").begin();
    first_index_ = *names("index/").begin();
  }
  // A record names the pack and its index object.
  void condemn_first() {
    manifest_ = *objects_->find(first_.name)->bytes;
    remove(first_);
    prune_with(at_once());
    ASSERT_THAT(names("condemned/"), SizeIs(1));
  }
  // As a push commits that has listed the pack before.
  void bring_first_back() {
    ASSERT_TRUE(objects_->erase(removed_name(first_.name)));
    ASSERT_TRUE(objects_->insert(first_.name, manifest_, store_clock_.wall_ns()));
  }
  void rot(const std::string& name, std::size_t from_end) {
    Bytes bytes = *objects_->find(name)->bytes;
    bytes[bytes.size() - from_end] ^= 1;
    objects_->damage(name, std::move(bytes));
  }
  void rot_table() { rot(pack_, kPackFooterBytes + 1); }
  void push_second() {
    second_ = push_stream(random_stream(2, kStreamBytes));
    for (const std::string& name : names("packs/"))
      if (name != pack_) second_pack_ = name;
    for (const std::string& name : names("index/"))
      if (name != first_index_) second_index_ = name;
  }
  [[nodiscard]] bool is_there() const { return names("packs/").contains(pack_); }
  void expect_stays(const std::string& why) {
    EXPECT_THAT(prune_with(at_once()).problems, Contains(HasSubstr(why)));
    EXPECT_TRUE(is_there());
  }

  Pushed first_;
  Bytes manifest_;  // of `first_`
  std::string pack_, first_index_;
  Pushed second_;
  std::string second_pack_, second_index_;
};

TEST_F(TablelessPackTest, OfDeadBlocksGoes) {
  const Pushed kept = push_stream(random_stream(2, kStreamBytes));
  rot_table();
  condemn_first();
  EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_FALSE(is_there());
  EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_THAT(names("index/"), SizeIs(1));
  expect_restores(kept);
}

TEST_F(TablelessPackTest, WhoseLiveBlocksAnotherPackHoldsGoes) {
  condemn_first();
  bring_first_back();
  copy_blocks({pack_});
  rot_table();
  EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_FALSE(is_there());
  expect_restores(first_);
}

TEST_F(TablelessPackTest, StaysWhereTheOtherCopyIsDamaged) {
  condemn_first();
  bring_first_back();
  const std::string copy = copy_blocks({pack_});
  rot(copy, objects_->find(copy)->bytes->size() / 2);
  rot_table();
  expect_stays("the only copy of a block that can be read");
}

TEST_F(TablelessPackTest, StaysWhileALiveBlockIsListedOnlyThere) {
  condemn_first();
  bring_first_back();
  copy_blocks({pack_}, BlockKind::kRecipe);
  rot_table();
  expect_stays("the only copy of a block that can be read");
  expect_restores(first_);
}

TEST_F(TablelessPackTest, StaysWhileALiveBlockIsNamedNowhere) {
  push_second();
  condemn_first();
  copy_blocks({second_pack_}, BlockKind::kRecipe);
  objects_->erase(second_pack_);
  objects_->erase(second_index_);
  rot_table();
  expect_stays("nowhere else");
}

// Its chunks are listed, so a push can heal it; the pack has nothing to do with it.
TEST_F(TablelessPackTest, GoesAlthoughABlockIsLostElsewhere) {
  push_second();
  condemn_first();
  copy_blocks({second_pack_}, BlockKind::kRecipe);
  objects_->erase(second_pack_);
  rot_table();
  EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_FALSE(is_there());
}

TEST_F(TablelessPackTest, GoesBesideAPackThatNobodyKnows) {
  condemn_first();
  rot_table();
  Digest unknown;
  unknown.data.fill(7);
  objects_->insert(pack_name(unknown), Bytes(200), store_clock_.wall_ns());
  EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_FALSE(is_there());
}

TEST_F(TablelessPackTest, ThatNoIndexObjectListsGoes) {
  condemn_first();
  rot_table();
  objects_->erase(first_index_);
  EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_FALSE(is_there());
}

// A push has deduplicated onto another condemned pack, whose blocks this run moves.
TEST_F(TablelessPackTest, GoesBesideACondemnedPackThatIsLiveAgain) {
  push_second();
  remove(second_);
  const Bytes manifest = *objects_->find(second_.name)->bytes;
  condemn_first();
  objects_->erase(removed_name(second_.name));
  objects_->insert(second_.name, manifest, store_clock_.wall_ns());
  rot_table();
  EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_FALSE(is_there());
  expect_restores(second_);
}

TEST_F(TablelessPackTest, ThatNobodyKnowsGoesWhenItIsOldEnough) {
  Digest unknown;
  unknown.data.fill(7);
  objects_->insert(pack_name(unknown), Bytes(200), store_clock_.wall_ns());
  PruneOptions options = at_once();
  options.age_min = std::chrono::hours(48);
  EXPECT_EQ(prune_with(options).condemned.packs, 0U);
  for (int run = 0; run < 2; ++run) EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_EQ(names("packs/"), std::set<std::string>{pack_});
  expect_restores(first_);
}

TEST_F(TablelessPackTest, OfAnotherSizeGoesWithTheListOfItsBlocks) {
  push_second();
  remove(first_);
  Bytes cut = *objects_->find(pack_)->bytes;
  cut.resize(cut.size() / 2);
  objects_->damage(pack_, std::move(cut));
  for (int run = 0; run < 4; ++run) EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_EQ(names("packs/"), std::set<std::string>{second_pack_});
  EXPECT_EQ(names("index/"), std::set<std::string>{second_index_});
  expect_restores(second_);
}

TEST_F(TablelessPackTest, ThatIsLostIsNotListedForEver) {
  push_second();
  remove(first_);
  objects_->erase(pack_);
  for (int run = 0; run < 3; ++run) EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_EQ(names("index/"), std::set<std::string>{second_index_});
  expect_restores(second_);
}

TEST_F(TablelessPackTest, StaysWhileAnIndexObjectCannotBeRead) {
  const Pushed kept = push_stream(random_stream(2, kStreamBytes));
  condemn_first();
  rot_table();
  for (const std::string& name : names("index/"))
    if (name != first_index_) rot(name, 1);
  expect_stays("which cannot be read either");
  expect_restores(kept);
}

TEST_F(TablelessPackTest, StaysWhileARecordCannotBeRead) {
  condemn_first();
  rot_table();
  objects_->insert(condemned_name(Uuid()), Bytes(100), store_clock_.wall_ns());
  expect_stays("since a record under condemned/ cannot be read");
}

}  // namespace
}  // namespace drs
