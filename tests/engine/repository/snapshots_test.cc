#include "engine/repository/snapshots.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <random>
#include <set>

#include "codecs/sha256.h"
#include "tests/engine/repository/snapshots_fixture.h"

namespace drs::test {
namespace {

using SnapshotsTest = SnapshotsFixture;

TEST_F(SnapshotsTest, AManifestThatIsListedAgainAndNotThereCountsAsUnreadable) {
  const std::string first = push();
  const std::string lost = push();
  *hook_ = *only_listed({lost});
  for (const auto& stream : {std::optional<std::string>(), std::optional(kStream)}) {
    const SnapshotCatalog catalog = load(stream);
    ASSERT_EQ(catalog.broken.size(), 1U);
    EXPECT_EQ(catalog.broken.front().name, lost);
    EXPECT_EQ(code_of(latest(catalog)), "corrupt");
    const NextSnapshot next = catalog.next(kStream);
    EXPECT_EQ(next.sequence, 3U);
    ASSERT_EQ(next.unreadable.size(), 1U);
    EXPECT_EQ(next.unreadable.front().name, lost);
  }
  const std::string newest = push();
  EXPECT_EQ((*latest(load()))->name, newest);
}

TEST_F(SnapshotsTest, AManifestThatIsRemovedWhileItIsReadIsRemoved) {
  const std::string first = push();
  push();
  const Snapshot newest = load().live.back();
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get" || key != newest.name) return std::nullopt;
    remove(newest);
    objects_->erase(newest.name);
    return std::nullopt;
  };
  const SnapshotCatalog catalog = load();
  EXPECT_TRUE(catalog.broken.empty());
  EXPECT_TRUE(catalog.missing.empty());
  EXPECT_EQ((*latest(catalog))->name, first);
  EXPECT_EQ(catalog.next(kStream).sequence, 3U);
}

TEST_F(SnapshotsTest, APredecessorThatIsDeletedWithoutAMarkWhileItIsReadIsMissed) {
  const std::string first = push();
  push();
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "get" && key == first) objects_->erase(first);
    return std::nullopt;
  };
  const SnapshotCatalog catalog = load();
  EXPECT_TRUE(catalog.broken.empty());
  ASSERT_EQ(catalog.missing.size(), 1U);
  EXPECT_EQ(catalog.missing.front().name, first);
}

TEST_F(SnapshotsTest, AMarkThatIsListedAgainAndNotThereIsBrokenAndRemovesNothing) {
  push();
  const std::string marked = push();
  remove(load().live.back());
  *hook_ = *only_listed({removed_name(marked)});
  const SnapshotCatalog catalog = load();
  ASSERT_EQ(catalog.broken.size(), 1U);
  EXPECT_EQ(catalog.broken.front().name, removed_name(marked));
  EXPECT_EQ((*latest(catalog))->name, marked);
}

TEST_F(SnapshotsTest, SnapshotsAndMarksHaveTheTimesOfTheStore) {
  const std::string name = push();
  const Bytes manifest = *objects_->find(name)->bytes;
  objects_->erase(name);
  objects_->insert(name, manifest, 1'000);
  EXPECT_EQ(load().live.front().stored_ns, 1'000);
  remove(load().live.front());
  const std::string mark_name = removed_name(name);
  const Bytes mark = *objects_->find(mark_name)->bytes;
  objects_->erase(mark_name);
  objects_->insert(mark_name, mark, 2'000);
  EXPECT_EQ(load().removed.front().stored_ns, 2'000);
  EXPECT_EQ(load().removed.front().removed_ns, 1) << "the writer's time";
}

TEST_F(SnapshotsTest, AFenceIsNoSnapshotAndNoDamage) {
  push();
  const std::string newest = push();
  Uuid fenced;
  fenced.data.fill(7);
  const std::string fence = put(ObjectKind::kFence, name_of(fenced), encode_fence({fenced, kStream, 1, "prune"}));
  for (const auto& stream : {std::optional<std::string>(), std::optional(kStream)}) {
    const SnapshotCatalog catalog = load(stream);
    EXPECT_EQ(catalog.live.size(), 2U);
    EXPECT_TRUE(catalog.broken.empty());
    EXPECT_TRUE(catalog.missing.empty());
    EXPECT_EQ(catalog.fences, std::vector<std::string>{fence});
    EXPECT_EQ((*latest(catalog))->name, newest);
    EXPECT_EQ(catalog.next(kStream).sequence, 3U);
  }
}

TEST_F(SnapshotsTest, AFenceUnderAnothersNameIsDamage) {
  Uuid fenced;
  fenced.data.fill(7);
  put(ObjectKind::kFence, name_of(Uuid{}), encode_fence({fenced, kStream, 1, "prune"}));
  EXPECT_EQ(load().broken.size(), 1U);
}

// A fence can take only a free name: if a manifest had it before, the manifest was deleted.
TEST_F(SnapshotsTest, APredecessorInWhosePlaceAFenceStandsIsMissed) {
  const std::string first = push();
  push();
  ASSERT_TRUE(objects_->erase(first));
  const Uuid session = parse_name(first)->uuid;
  put(ObjectKind::kFence, first, encode_fence({session, kStream, 1, "prune"}));
  ASSERT_EQ(load().missing.size(), 1U);
  EXPECT_EQ(load().missing.front().name, first);
}

TEST_F(SnapshotsTest, AManifestThatRotsIsNotTheLatestOnceAPushHasSeenIt) {
  push();
  const std::string rotten = push();
  rot(rotten);
  EXPECT_EQ(code_of(latest(load())), "corrupt");
  EXPECT_EQ(code_of(latest(load(kStream))), "corrupt");
  const std::string next = push();
  for (const auto& stream : {std::optional<std::string>(), std::optional(kStream)}) {
    const SnapshotCatalog catalog = load(stream);
    const auto found = latest(catalog);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ((*found)->name, next);
    EXPECT_EQ((*found)->manifest.sequence, 3U);
    ASSERT_EQ(catalog.broken.size(), 1U);
    EXPECT_EQ(catalog.broken.front().digest, sha256(*objects_->find(rotten)->bytes));
  }
}

TEST_F(SnapshotsTest, AManifestThatIsSpoiledAndDeletedOnceAPushHasSeenItIsMissed) {
  push();
  const std::string spoiled = push();
  rot(spoiled);
  const std::string next = push();
  push();
  EXPECT_TRUE(load().missing.empty());
  const Bytes bytes = *objects_->find(spoiled)->bytes;
  ASSERT_TRUE(objects_->erase(spoiled));
  const SnapshotCatalog catalog = load();
  ASSERT_EQ(catalog.missing.size(), 1U);
  EXPECT_EQ(catalog.missing.front().name, spoiled);
  EXPECT_EQ(catalog.missing.front().named_by, next) << "the first manifest that names it";
  EXPECT_EQ(catalog.missing.front().before_sequence, 3U);
  EXPECT_NE(catalog.missing.front().problem().find("could not be read"), std::string::npos);
  EXPECT_EQ(code_of(latest(catalog)), "ok") << "the latest is newer";
  Selector id;
  id.text = parse_name(spoiled)->uuid.hex();
  EXPECT_EQ(code_of(select_snapshot(catalog, id)), "rollback");
  // The manifest exists again, damaged or intact.
  objects_->insert(spoiled, bytes, 0);
  EXPECT_TRUE(load().missing.empty());
}

TEST_F(SnapshotsTest, AFenceOrAMarkThatCouldNotBeReadForATimeIsNotMissed) {
  push();
  Uuid session;
  session.data.fill(7);
  const std::string fence = put(ObjectKind::kFence, name_of(session), encode_fence({session, kStream, 1, "prune"}));
  const Bytes bytes = *objects_->find(fence)->bytes;
  push();
  const Snapshot second = load().live.back();
  rot(fence);
  remove(second);
  ASSERT_TRUE(objects_->erase(second.name));
  rot(removed_name(second.name));
  push();
  objects_->damage(fence, bytes);
  const SnapshotCatalog catalog = load();
  EXPECT_EQ(catalog.fences.size(), 1U);
  EXPECT_EQ(catalog.broken.size(), 1U) << "only the mark is broken";
  EXPECT_TRUE(catalog.missing.empty());
}

TEST_F(SnapshotsTest, PushesAccountForMoreUnreadableManifestsThanOneManifestHolds) {
  push();
  for (std::uint16_t i = 0; i < kManifestUnreadableMax + 300; ++i) {
    Uuid session;
    session.data[0] = static_cast<Byte>(i >> 8);
    session.data[1] = static_cast<Byte>(i);
    objects_->insert(name_of(session), Bytes(3, 'g'), 0);
  }
  push();
  EXPECT_FALSE(latest(load()).ok()) << "one of those that no push has seen may be the latest";
  const std::string second = push();
  const SnapshotCatalog catalog = load();
  const auto found = latest(catalog);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ((*found)->name, second);
}

TEST_F(SnapshotsTest, ASequenceNumberBeyondTheBoundIsDamageAndNotCountedOn) {
  push();
  for (const std::uint64_t sequence : {kManifestSequenceMax + 1, ~std::uint64_t{0}}) {
    Manifest manifest;
    manifest.stream = kStream;
    random_bytes(manifest.session.mutable_view());
    manifest.set_stream({});
    EXPECT_TRUE(encode_manifest(manifest).ok());
    Bytes body = *encode_manifest(manifest);
    const std::size_t place = 2 + kStream.size() + Uuid::kBytes;
    for (std::size_t i = 0; i < 8; ++i) body[place + i] = static_cast<Byte>(sequence >> (8 * i));
    put(ObjectKind::kManifest, name_of(manifest.session), body);
    manifest.sequence = sequence;
    EXPECT_FALSE(encode_manifest(manifest).ok());
    random_bytes(manifest.session.mutable_view());
    const std::string name = name_of(manifest.session);
    put(ObjectKind::kRemoved, removed_name(name), encode_removed({name, {}, kStream, sequence, 1, "test"}));
  }
  const SnapshotCatalog catalog = load();
  EXPECT_EQ(catalog.broken.size(), 4U);
  EXPECT_EQ(catalog.next(kStream).sequence, 6U);
}

TEST_F(SnapshotsTest, WhereOnlyManifestsThatRotAreLeftTheNextOneStillGetsANewNumber) {
  for (int i = 0; i < 3; ++i) rot(push());
  const std::string next = push();
  const SnapshotCatalog catalog = load();
  EXPECT_EQ((*latest(catalog))->name, next);
  EXPECT_EQ((*latest(catalog))->manifest.sequence, 4U);
}

TEST_F(SnapshotsTest, NoSequenceIsGivenTwiceWhateverRotsOrIsRemoved) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    for (const char* const prefix : {"manifests/", "removed/"})
      for (const ObjectInfo& info : objects_->list(prefix)) objects_->erase(info.key);
    std::mt19937 random(seed);
    std::set<std::uint64_t> given;
    std::vector<std::string> readable;
    std::uint64_t highest = 0;
    for (int step = 0; step < 40; ++step) {
      const unsigned action = random() % 4;
      if (action < 2 || readable.empty()) {
        const std::uint64_t sequence = load(kStream).next(kStream).sequence;
        ASSERT_TRUE(given.insert(sequence).second) << "seed " << seed << ": " << sequence << " twice";
        ASSERT_GT(sequence, highest) << "seed " << seed;
        highest = sequence;
        readable.push_back(push());
        continue;
      }
      const std::size_t place = random() % readable.size();
      const std::string name = readable[place];
      readable.erase(readable.begin() + static_cast<std::ptrdiff_t>(place));
      if (action == 2) {
        rot(name);
        continue;
      }
      const SnapshotCatalog catalog = load(kStream);
      const auto found = std::ranges::find(catalog.live, name, &Snapshot::name);
      ASSERT_NE(found, catalog.live.end());
      remove(*found);
      if (random() % 2 == 0) objects_->erase(name);  // pruned
      if (random() % 4 == 0 && objects_->find(name)) rot(removed_name(name));
    }
  }
}

TEST_F(SnapshotsTest, AMarkThatRotsAfterItsManifestIsGoneCountsAsOneThatHadANumber) {
  push();
  push();
  const SnapshotCatalog catalog = load();
  const Snapshot second = catalog.live.back();
  remove(second);
  objects_->erase(second.name);
  EXPECT_EQ(load().next(kStream).sequence, 3U);
  rot(removed_name(second.name));
  EXPECT_EQ(load().next(kStream).sequence, 3U);
  push();
  EXPECT_EQ(load().next(kStream).sequence, 4U);
}

TEST_F(SnapshotsTest, HoldsNoRecipeParts) {
  constexpr std::size_t kManifests = 40;
  constexpr std::size_t kParts = 20'000;
  Manifest manifest;
  ManifestStream only;
  for (std::size_t i = 0; i < kParts; ++i) only.parts.push_back({{Uuid{}, i}, only.bytes++, 1});
  manifest.set_stream(std::move(only));
  for (std::size_t i = 0; i < kManifests; ++i) {
    random_bytes(manifest.session.mutable_view());
    manifest.sequence = i + 1;
    put(manifest);
  }
  const std::size_t before_bytes = ::mallinfo2().uordblks;
  const SnapshotCatalog catalog = load();
  const std::size_t after_bytes = ::mallinfo2().uordblks;
  ASSERT_EQ(catalog.live.size(), kManifests);
  EXPECT_LT(after_bytes - std::min(before_bytes, after_bytes), kManifests * 8 * kKiB);  // each manifest has 800 KiB
  const auto whole = read_manifest(*repository_, repository_->store(), catalog.live[3]);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(whole->sequence, 4U);
  EXPECT_EQ(whole->streams.front().parts.size(), kParts);
}

TEST_F(SnapshotsTest, AManifestThatIsReplacedByAnotherOfItsNameIsNotReadAsTheOldOne) {
  Manifest manifest;
  manifest.session.data.fill(9);
  const std::string name = put(manifest);
  const SnapshotCatalog catalog = load();
  manifest.stream = kStream;
  manifest.sequence = 5;
  manifest.set_stream({});
  objects_->damage(name, encode_document(repository_->keys(), ObjectKind::kManifest, name, *encode_manifest(manifest)));
  EXPECT_EQ(code_of(read_manifest(*repository_, repository_->store(), catalog.live[0])), "corrupt");
  objects_->erase(name);
  EXPECT_EQ(code_of(read_manifest(*repository_, repository_->store(), catalog.live[0])), "not-found");
}

}  // namespace
}  // namespace drs::test
