// Retired objects stand for removal marks and fences in the catalog of snapshots.
#include <gtest/gtest.h>

#include "engine/repository/snapshots.h"
#include "tests/engine/repository/snapshots_fixture.h"

namespace drs::test {
namespace {

using RetiredSnapshotsTest = SnapshotsFixture;

TEST_F(RetiredSnapshotsTest, ARetiredObjectStandsForTheMarksThatItNames) {
  const std::string first = push();
  push();
  const SnapshotCatalog before = load();
  remove_and_retire(before.live.back());
  for (const auto& stream : {std::optional<std::string>(), std::optional(kStream)}) {
    const SnapshotCatalog catalog = load(stream);
    EXPECT_TRUE(catalog.broken.empty());
    EXPECT_TRUE(catalog.missing.empty());
    ASSERT_EQ(catalog.removed.size(), 1U);
    const Removal& removal = catalog.removed.front();
    EXPECT_TRUE(removal.retired);
    EXPECT_EQ(removal.manifest_name, before.live.back().name);
    EXPECT_EQ(removal.manifest_digest, before.live.back().digest);
    EXPECT_EQ(removal.stream, kStream);
    EXPECT_EQ(removal.sequence, 2U);
    EXPECT_EQ(removal.removed_ns, 77);
    EXPECT_EQ(removal.stored_ns, 77);
    EXPECT_EQ((*latest(catalog))->name, first);
    EXPECT_EQ(catalog.next(kStream).sequence, 3U) << "no number is given twice";
  }
  EXPECT_TRUE(load("another").removed.empty());
}

TEST_F(RetiredSnapshotsTest, AManifestThatArrivesAfterItsMarkOrFenceWasRetiredIsNotLive) {
  push();
  push();
  Manifest late;
  late.session.data.fill(7);
  late.sequence = 9;
  const std::string name = put(late);
  RetiredEntry fence;
  fence.session = late.session;
  retire({fence, entry_of(load().live[0])});
  const SnapshotCatalog catalog = load();
  ASSERT_EQ(catalog.live.size(), 1U);
  EXPECT_EQ(catalog.live.front().manifest.sequence, 2U);
  EXPECT_EQ(catalog.fences, std::vector<std::string>{name});
  EXPECT_EQ(catalog.removed.size(), 1U);
  EXPECT_EQ(catalog.next(kStream).sequence, 3U) << "a fence has no number";
}

TEST_F(RetiredSnapshotsTest, AFenceOrAMarkThatIsRetiredAndStillThereIsThereOnce) {
  push();
  push();
  const Snapshot first = load().live.front();
  remove(first);
  RetiredEntry fence;
  fence.session.data.fill(7);
  put(ObjectKind::kFence, name_of(fence.session), encode_fence({fence.session, kStream, 1, "prune"}));
  retire({entry_of(first), fence});
  const SnapshotCatalog catalog = load();
  EXPECT_EQ(catalog.fences, std::vector<std::string>{name_of(fence.session)});
  ASSERT_EQ(catalog.removed.size(), 1U);
  EXPECT_FALSE(catalog.removed.front().retired) << "the mark has the reason";
}

// As for a fence that is still there.
TEST_F(RetiredSnapshotsTest, APredecessorInWhosePlaceAFenceWasRetiredIsMissedAndAnUnreadableOneIsNot) {
  const std::string first = push();
  push();
  RetiredEntry fence;
  fence.session = parse_name(first)->uuid;
  objects_->erase(first);
  retire({fence});
  ASSERT_EQ(load().missing.size(), 1U);
  EXPECT_EQ(load().missing.front().name, first);
  Manifest next;
  next.sequence = 3;
  next.unreadable = {{name_of(fence.session), {}}};
  for (const ObjectInfo& info : objects_->list("manifests/")) objects_->erase(info.key);
  put(next);
  EXPECT_TRUE(load().missing.empty());
}

TEST_F(RetiredSnapshotsTest, ARetiredObjectThatCannotBeReadRemovesNothingAndIsOfItsStream) {
  push();
  push();
  const std::string name = retire({entry_of(load().live.back())});
  ASSERT_EQ(load().live.size(), 1U);
  rot(name);
  const SnapshotCatalog catalog = load();
  ASSERT_EQ(catalog.broken.size(), 1U);
  EXPECT_EQ(catalog.broken.front().name, name);
  EXPECT_EQ(catalog.broken.front().stream, kStream);
  EXPECT_EQ(catalog.live.size(), 2U);
  EXPECT_TRUE(latest(catalog).ok()) << "it is no snapshot that could be newer";
  const NextSnapshot next = catalog.next(kStream);
  EXPECT_TRUE(next.unreadable.empty()) << "it is no manifest";
  EXPECT_EQ(next.sequence, 3U + kRetiredEntriesMax) << "above each number that it may name";
  EXPECT_EQ(load("another").broken.size(), 0U);
}

TEST_F(RetiredSnapshotsTest, WhereARetiredObjectCannotBeReadAnUnreadableManifestMayBeInIt) {
  Uuid session;
  session.data.fill(7);
  Manifest manifest;
  manifest.unreadable = {{name_of(session), {}}};
  put(manifest);
  EXPECT_EQ(load().missing.size(), 1U);
  rot(retire({}));
  EXPECT_TRUE(load().missing.empty());
}

TEST_F(RetiredSnapshotsTest, ListsRetiredObjectsAfterMarksAndThoseAfterManifests) {
  push();
  std::vector<std::string> listed;
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "list") listed.emplace_back(key);
    return std::nullopt;
  };
  load();
  EXPECT_EQ(listed, (std::vector<std::string>{"manifests/", "removed/", "retired/"}));
}

// Whenever a prune retires the mark, the snapshot is removed, and nothing is missing or damaged.
TEST_F(RetiredSnapshotsTest, AMarkThatIsRetiredBetweenAnyTwoStepsStillCounts) {
  for (int step = 0; step < 12; ++step) {
    for (const char* const prefix : {"manifests/", "removed/", "retired/"})
      for (const ObjectInfo& info : objects_->list(prefix)) objects_->erase(info.key);
    *hook_ = {};
    push();
    const std::string removed = push();
    remove(load().live.back());
    push();
    const std::vector<Snapshot> live = load().live;
    objects_->erase(removed);
    Snapshot gone;
    gone.name = removed;
    gone.manifest.session = parse_name(removed)->uuid;
    gone.manifest.sequence = 2;
    gone.digest.data.fill(1);
    int at = 0;
    *hook_ = [&](std::string_view operation, std::string_view) -> std::optional<Error> {
      if (operation != "list" && operation != "get") return std::nullopt;
      if (at++ == step) remove_and_retire(gone);
      return std::nullopt;
    };
    const SnapshotCatalog catalog = load();
    EXPECT_TRUE(catalog.broken.empty()) << step;
    EXPECT_TRUE(catalog.missing.empty()) << step;
    EXPECT_EQ(catalog.removed.size(), 1U) << step;
    EXPECT_EQ(catalog.live.size(), 2U) << step;
  }
}

// Two prunes may rewrite the retired objects of a stream one after the other.
TEST_F(RetiredSnapshotsTest, ARetiredObjectThatVanishesIsListedAgainAsOftenAsItTakes) {
  push();
  push();
  const Snapshot gone = load().live.back();
  std::string current = remove_and_retire(gone);
  Byte number = 1;
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get" || key != current || number == 5) return std::nullopt;
    const std::string old = current;
    current = remove_and_retire(gone, ++number);
    objects_->erase(old);
    return std::nullopt;
  };
  const SnapshotCatalog catalog = load();
  EXPECT_EQ(number, 5);
  EXPECT_EQ(catalog.live.size(), 1U);
  EXPECT_EQ(catalog.removed.size(), 1U);
  EXPECT_TRUE(catalog.broken.empty());
  EXPECT_TRUE(catalog.missing.empty());
}

TEST_F(RetiredSnapshotsTest, RetiredObjectsThatVanishEachTimeAreNoVerdict) {
  push();
  const Snapshot gone = load().live.back();
  std::string current = remove_and_retire(gone);
  Byte number = 1;
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get" || key != current) return std::nullopt;
    const std::string old = current;
    current = remove_and_retire(gone, ++number);
    objects_->erase(old);
    return std::nullopt;
  };
  EXPECT_EQ(code_of(load_snapshots(*repository_)), "unavailable");
}

TEST_F(RetiredSnapshotsTest, ARetiredObjectThatIsListedAgainAndNotThereIsBroken) {
  push();
  push();
  const std::string name = retire({entry_of(load().live.back())});
  *hook_ = *only_listed({name});
  const SnapshotCatalog catalog = load();
  ASSERT_EQ(catalog.broken.size(), 1U);
  EXPECT_EQ(catalog.broken.front().name, name);
}

}  // namespace
}  // namespace drs::test
