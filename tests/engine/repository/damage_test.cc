#include "engine/repository/damage.h"

#include <gtest/gtest.h>

#include "engine/format/names.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

class DamageTest : public ::testing::Test {
 protected:
  MarkedPacks load() {
    std::vector<ObjectInfo> listed = objects_->list("damaged/");
    auto marks = load_marks(*store_, listed);
    EXPECT_TRUE(marks.ok());
    return *std::move(marks);
  }
  void mark(std::vector<DamagedBlock> blocks) {
    ASSERT_TRUE(
        mark_damaged(*store_, clock_, pack_, {.found_by = "verify", .problem = "x", .blocks = std::move(blocks)}).ok());
  }
  SystemClock clock_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::unique_ptr<ObjectStore> store_ = make_memory_store(objects_);
  Digest pack_;
};

TEST_F(DamageTest, MarksOfOnePackAddUp) {
  mark({{100, 10}, {300, 10}});
  mark({{200, 10}, {305, 20}});
  const MarkedPacks marks = load();
  const PackMarks& pack = marks.at(pack_);
  EXPECT_EQ(pack.marks.size(), 2U);
  EXPECT_EQ(pack.blocks, (std::vector<DamagedBlock>{{100, 10}, {200, 10}, {300, 25}}));
  for (const std::uint32_t at : {100U, 109U, 200U, 324U}) EXPECT_TRUE(pack.covers(at, 1)) << at;
  for (const std::uint32_t at : {0U, 99U, 110U, 199U, 210U, 325U}) EXPECT_FALSE(pack.covers(at, 1)) << at;
  EXPECT_TRUE(pack.covers(0, 1000));
}

TEST_F(DamageTest, AMarkIsSetAlthoughTheReplyToItsPutWasLost) {
  const auto plan = std::make_shared<FaultPlan>();
  store_ = make_fault_store(make_memory_store(objects_), plan);
  plan->fail_nth(1, {FaultKind::kLoseReply, ErrorCode::kUnavailable});
  mark({{100, 10}});
  EXPECT_EQ(load().at(pack_).marks.size(), 1U);
}

TEST_F(DamageTest, AMarkWithoutBlocksIsOfTheWholePack) {
  mark({{100, 10}});
  mark({});
  EXPECT_TRUE(load().at(pack_).covers(5000, 1));
}

TEST_F(DamageTest, MoreBlocksThanAMarkCanNameAreTheWholePack) {
  std::vector<DamagedBlock> blocks;
  for (std::uint32_t i = 0; i <= kDamagedBlocksMax; ++i) blocks.push_back({2 * i, 1});
  mark(std::move(blocks));
  EXPECT_TRUE(load().at(pack_).whole);
}

TEST_F(DamageTest, AMarkThatCannotBeReadOrIsOfAnotherNameCountsAsOneOfTheWholePack) {
  Digest other = pack_;
  other.data[0] = 1;
  Uuid id;
  DamagedMark named;
  named.pack = other;
  named.blocks = {{1, 1}};
  ASSERT_TRUE(put_object(*store_, damaged_name(pack_, id), encode_damaged(named)).ok());
  ASSERT_TRUE(put_object(*store_, damaged_name(other, id), Bytes(40)).ok());
  const MarkedPacks marks = load();
  EXPECT_TRUE(marks.at(pack_).whole);
  EXPECT_TRUE(marks.at(other).whole);
}

TEST_F(DamageTest, AMarkIsTakenBackByItsName) {
  mark({});
  mark({{1, 1}});
  const MarkedPacks marks = load();
  for (const PackMarks::Mark& mark : marks.at(pack_).marks) ASSERT_TRUE(clear_damaged(*store_, pack_, mark.id).ok());
  EXPECT_TRUE(load().empty());
  EXPECT_TRUE(clear_damaged(*store_, pack_, Uuid()).ok());  // a missing mark is success
}

}  // namespace
}  // namespace drs
