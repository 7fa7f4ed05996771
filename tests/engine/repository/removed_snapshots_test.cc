#include "engine/repository/removed_snapshots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/repository/snapshots_fixture.h"

namespace drs {
namespace {

using test::code_of;
using ::testing::HasSubstr;

class RemovedSnapshotsTest : public test::SnapshotsFixture {
 protected:
  std::vector<RemovedSnapshot> removed() {
    auto loaded = load_removed_snapshots(*repository_, load());
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    return *std::move(loaded);
  }
  Snapshot push_and_remove() {
    push();
    Snapshot snapshot = load().live.back();
    remove(snapshot);
    return snapshot;
  }
};

TEST_F(RemovedSnapshotsTest, ShowWhatIsKnownOfThem) {
  const Snapshot with_manifest = push_and_remove();
  const Snapshot retired = push_and_remove();
  const Snapshot damaged = push_and_remove();
  push();
  remove_and_retire(retired);
  rot(damaged.name);
  const auto found = removed();
  ASSERT_EQ(found.size(), 3U);
  for (const RemovedSnapshot& entry : found) {
    const std::string& name = entry.removal.manifest_name;
    EXPECT_EQ(entry.manifest_exists, name != retired.name);
    EXPECT_EQ(entry.snapshot.has_value(), name == with_manifest.name);
    EXPECT_EQ(entry.problem.has_value(), name == damaged.name);
    EXPECT_TRUE(!entry.snapshot || entry.snapshot->digest == with_manifest.digest);
  }
}

TEST_F(RemovedSnapshotsTest, AFenceIsNone) {
  push();
  retire({{Uuid{{7}}, Digest{}, 0, 1}});
  EXPECT_TRUE(removed().empty());
  EXPECT_EQ(code_of(find_removed(load(), Uuid{{7}}.hex())), "no-snapshot");
}

TEST_F(RemovedSnapshotsTest, AreFoundByTheFirstDigitsOfTheirIds) {
  const Snapshot snapshot = push_and_remove();
  push();
  const SnapshotCatalog catalog = load();
  const auto found = find_removed(catalog, snapshot.id().substr(0, 8));
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ((*found)->manifest_name, snapshot.name);
  EXPECT_EQ(code_of(find_removed(catalog, snapshot.id())), "ok");
  for (const char* const text : {"", "1234567", "pg/app", "0123456789abcdef0123456789abcdef0"})
    EXPECT_EQ(code_of(find_removed(catalog, text)), "usage") << text;
  EXPECT_EQ(code_of(find_removed(catalog, "00000000")), "no-snapshot");
  const auto live = find_removed(catalog, catalog.live.back().id());
  ASSERT_EQ(code_of(live), "no-snapshot");
  EXPECT_THAT(live.error().message, HasSubstr("is not removed"));
}

TEST_F(RemovedSnapshotsTest, ASelectorThatNamesOneSaysThatItIsRemoved) {
  const Snapshot snapshot = push_and_remove();
  push();
  Selector selector;
  selector.text = snapshot.id().substr(0, 10);
  const auto found = select_snapshot(load(), selector);
  ASSERT_EQ(code_of(found), "no-snapshot");
  EXPECT_THAT(found.error().message, HasSubstr("drstream unforget " + snapshot.id()));
}

TEST_F(RemovedSnapshotsTest, OneThatIsLiveAgainIsRecognisedByAllButItsId) {
  const Snapshot snapshot = push_and_remove();
  EXPECT_EQ(brought_back_as(load(), snapshot.manifest), nullptr);
  Manifest again;
  static_cast<ManifestHeader&>(again) = snapshot.manifest;
  again.session = Uuid{{9}};
  again.set_stream({});
  const std::string name = put(again);
  SnapshotCatalog catalog = load();
  ASSERT_NE(brought_back_as(catalog, snapshot.manifest), nullptr);
  EXPECT_EQ(brought_back_as(catalog, snapshot.manifest)->name, name);
  catalog.live.front().manifest.finished_ns += 1;
  EXPECT_EQ(brought_back_as(catalog, snapshot.manifest), nullptr);
}

}  // namespace
}  // namespace drs
