// Prunes of a full disk, and where what is still named is gone, fenced, or cannot be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/format/retention.h"
#include "engine/pipeline/keeping/prune.h"
#include "engine/repository/snapshots.h"
#include "tests/engine/pipeline/keeping/keeping_fixture.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

using test::KeepingTest;
using test::random_stream;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kStreamBytes = 3 << 20;

using PruneLimitsTest = KeepingTest;

TEST_F(PruneLimitsTest, AHeldSnapshotThatIsGoneWithoutAMarkKeepsEverything) {
  const Pushed held = push_stream(random_stream(1, 100'000));
  const auto name = parse_name(held.name);
  Hold hold;
  hold.manifest_name = held.name;
  put(ObjectKind::kKept, kept_name(name->tag, name->uuid, 0), encode_hold(hold));
  const Bytes manifest = *objects_->find(held.name)->bytes;
  objects_->erase(held.name);
  for (int run = 0; run < 3; ++run)
    EXPECT_THAT(prune_with(at_once()).problems, ElementsAre(HasSubstr(held.name + " is held, but gone")));
  objects_->insert(held.name, manifest, store_clock_.wall_ns());
  expect_restores(held);
}

// As on a full disk, which has room for a record.
TEST_F(PruneLimitsTest, WhereThereIsNoRoomToMoveDeadPacksGo) {
  PruneOptions options = at_once();
  options.exclusive = true;
  options.pack_bytes_target = 1 << 20;
  const Bytes whole = random_stream(1, kStreamBytes);
  const Pushed partly = push_stream(whole);
  const Pushed kept = push_stream(Bytes(whole.begin(), whole.begin() + kStreamBytes / 3), "t");
  const Pushed dead = push_stream(random_stream(2, kStreamBytes), "u");
  remove(partly);
  remove(dead);
  const auto hook =
      std::make_shared<test::StoreHook>([](std::string_view operation, std::string_view key) -> std::optional<Error> {
        if (operation != "put" || !key.starts_with("packs/")) return std::nullopt;
        return Error(ErrorCode::kNoSpace, "the disk is full");
      });
  repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_, &store_clock_), hook));
  const std::uint64_t before = bytes_of("packs/");
  const PruneReport report = prune_with(options);
  EXPECT_TRUE(report.no_room_to_move);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_LE(bytes_of("packs/"), before - kStreamBytes);
  expect_restores(kept);
  repository_->replace_store(make_memory_store(objects_, &store_clock_));
  EXPECT_FALSE(prune_with(options).no_room_to_move);
  expect_restores(kept);
}

// As in a replica: a copy of a snapshot was fenced, and then the snapshot was removed in the source.
TEST_F(PruneLimitsTest, ARemovedSnapshotWhoseCopyWasFencedNeedsNothing) {
  PruneOptions options = at_once();
  options.undo = std::chrono::hours(24);
  options.retired_together_min = 1;
  const Pushed first = push_stream(random_stream(1, 100'000));
  const Pushed kept = push_stream(random_stream(2, 100'000));
  remove(first);
  objects_->erase(first.name);
  put(ObjectKind::kFence, first.name, encode_fence({first.manifest.session, "s", 1, "prune"}));
  for (int run = 0; run < 4; ++run) {
    const PruneReport report = prune_with(options);
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_EQ(report.undo_snapshots, 0U);
    EXPECT_THAT(load().missing, IsEmpty());
    EXPECT_THAT(load().removed, SizeIs(1));
    if (run == 1) store_clock_.advance(std::chrono::hours(25));
  }
  EXPECT_EQ(names("manifests/"), std::set<std::string>{kept.name});
  EXPECT_THAT(names("packs/"), SizeIs(1));
  EXPECT_THAT(names("removed/"), IsEmpty());
  EXPECT_THAT(names("retired/"), SizeIs(1));
}

TEST_F(PruneLimitsTest, ASessionWhoseLastObjectCannotBeReadIsFencedByAnOlderOne) {
  const Uuid session = put_session("s", 0x77);
  const std::string last = session_name(repository_->keys().stream_tag("s"), session, 8);
  ASSERT_TRUE(objects_->insert(last, Bytes(100), store_clock_.wall_ns()));
  store_clock_.advance(std::chrono::hours(73));
  for (int run = 0; run < 2; ++run) EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_THAT(names("sessions/"), IsEmpty());
  EXPECT_THAT(names("manifests/"), SizeIs(1)) << "the fence";
}

// As by a prune on another machine.
TEST_F(PruneLimitsTest, ASessionWhoseObjectsVanishWhileTheyAreReadHasEnded) {
  const Uuid session = put_session("s", 0x77);
  const std::string last = session_name(repository_->keys().stream_tag("s"), session, 8);
  objects_->insert(last, Bytes(100), store_clock_.wall_ns());
  store_clock_.advance(std::chrono::hours(73));
  const auto hook =
      std::make_shared<test::StoreHook>([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
        if (operation == "get" && key.starts_with("sessions/"))
          for (const std::string& name : names("sessions/")) objects_->erase(name);
        return std::nullopt;
      });
  repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_, &store_clock_), hook));
  EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());
  EXPECT_THAT(names("manifests/"), IsEmpty());
}

}  // namespace
}  // namespace drs
