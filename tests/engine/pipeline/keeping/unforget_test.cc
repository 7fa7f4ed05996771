#include "engine/pipeline/keeping/unforget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/repository/snapshots.h"
#include "tests/engine/pipeline/keeping/keeping_fixture.h"

namespace drs {
namespace {

using test::random_stream;

class UnforgetTest : public test::KeepingTest {
 protected:
  Result<UnforgetReport> take_back(const Pushed& pushed) {
    ProgressCounters progress;
    CancelToken cancel;
    return unforget(*repository_, pushed.name, {}, {progress, cancel});
  }
};

TEST_F(UnforgetTest, MakesTheSnapshotLiveAgainUnderANewId) {
  const Pushed first = push_stream(random_stream(1, 1 << 20));
  const Pushed second = push_stream(random_stream(2, 1 << 20));
  remove(first);
  ASSERT_EQ(load().live.size(), 1U);
  const auto report = take_back(first);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_NE(report->manifest_name, first.name);
  EXPECT_EQ(report->moved_blocks, 0U);
  EXPECT_EQ(*read_back(report->manifest), first.stream);
  const SnapshotCatalog now = load();
  ASSERT_EQ(now.live.size(), 2U);
  EXPECT_EQ(now.live.front().manifest.sequence, first.manifest.sequence);
  EXPECT_EQ(now.live.front().name, report->manifest_name);
  EXPECT_EQ(now.live.back().name, second.name) << "the newest stays the newest";
  EXPECT_EQ(now.removed.size(), 1U) << "no mark is taken back";
  EXPECT_TRUE(now.missing.empty() && now.broken.empty());
  EXPECT_TRUE(names("sessions/").empty());
}

TEST_F(UnforgetTest, MovesBlocksThatAPruneHasCondemned) {
  const Pushed first = push_stream(random_stream(1, 3 << 20));
  push_stream(random_stream(2, 1 << 20));
  remove(first);
  PruneOptions options = at_once();
  options.undo = std::chrono::nanoseconds(1);  // over, but the prune that condemns keeps the manifest object
  const Bytes object = *objects_->find(first.name)->bytes;
  ASSERT_GT(prune_with(options).condemned.packs, 0U);
  objects_->insert(first.name, object, store_clock_.wall_ns());
  const auto report = take_back(first);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_GT(report->moved_blocks, 0U);
  prune_with(at_once());
  prune_with(at_once());
  EXPECT_EQ(*read_back(report->manifest), first.stream);
}

TEST_F(UnforgetTest, FailsWhereTheDataIsDeleted) {
  const Pushed first = push_stream(random_stream(1, 1 << 20));
  push_stream(random_stream(2, 1 << 20));
  const Bytes object = *objects_->find(first.name)->bytes;
  remove(first);
  prune_with(at_once());
  prune_with(at_once());
  const auto gone = take_back(first);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
  objects_->insert(first.name, object, store_clock_.wall_ns());
  const auto lost = take_back(first);
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, ErrorCode::kConflict);
  EXPECT_EQ(load().live.size(), 1U);
  EXPECT_TRUE(names("sessions/").empty());
}

}  // namespace
}  // namespace drs
