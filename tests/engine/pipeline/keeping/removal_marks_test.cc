#include "engine/pipeline/keeping/removal_marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/random.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/repository/removal.h"
#include "sinks/memory_store.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

using testing::HasSubstr;

const std::string kStream = "pg/app";

class RemovalMarksTest : public testing::Test {
 protected:
  void SetUp() override {
    InitOptions options;
    options.secret = {SlotKind::kRawKey, SecretBytes(32)};
    const auto store = make_memory_store(objects_);
    ASSERT_TRUE(Repository::init(*store, clock_, options).ok());
    auto opened = Repository::open(std::make_unique<test::HookStore>(make_memory_store(objects_), hook_), clock_,
                                   options.secret, best_crypto_backend());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    repository_ = *std::move(opened);
  }

  // Stores a manifest of the stream; returns its name.
  std::string push(std::uint64_t sequence, const std::string& predecessor = {}) {
    Manifest manifest;
    manifest.stream = kStream;
    manifest.sequence = sequence;
    manifest.predecessor_name = predecessor;
    if (!predecessor.empty()) manifest.predecessor_digest.data.fill(1);
    manifest.set_stream({});
    random_bytes(manifest.session.mutable_view());
    const std::string name = manifest_name(repository_->keys().stream_tag(kStream), manifest.session);
    objects_->insert(name,
                     encode_document(repository_->keys(), ObjectKind::kManifest, name, *encode_manifest(manifest)), 0);
    return name;
  }
  SnapshotCatalog load() {
    auto catalog = load_snapshots(*repository_);
    EXPECT_TRUE(catalog.ok()) << catalog.error().message;
    return *std::move(catalog);
  }
  void rot(const std::string& name) {
    Bytes bytes = *objects_->find(name)->bytes;
    bytes[bytes.size() / 2] ^= 1;
    objects_->damage(name, bytes);
  }
  // The marks of all live snapshots.
  std::vector<RemovedMark> marks_of(const SnapshotCatalog& catalog) {
    std::vector<const Snapshot*> named;
    for (const Snapshot& snapshot : catalog.live) named.push_back(&snapshot);
    return removal_marks(plan_by_name({catalog, holds_, 0}, named, {}), 7, "test");
  }
  Result<MarksReport> write(const std::vector<RemovedMark>& marks) {
    return write_removal_marks(*repository_, marks, cancel_);
  }
  Result<RemovedMark> mark_damaged(const SnapshotCatalog& catalog, const std::string& name) {
    return damaged_removal_mark({catalog, holds_, 0}, name, 7, "test");
  }

  const SystemClock clock_;
  const std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  const std::shared_ptr<test::StoreHook> hook_ = std::make_shared<test::StoreHook>();
  std::unique_ptr<Repository> repository_;
  Holds holds_;
  CancelToken cancel_;
};

TEST_F(RemovalMarksTest, TakeSnapshotsAwayAndDeleteNothing) {
  std::vector<std::string> names;
  for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) names.push_back(push(sequence));
  const auto report = write(marks_of(load()));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->written, 20U);
  const SnapshotCatalog after = load();
  EXPECT_TRUE(after.live.empty());
  EXPECT_EQ(after.removed.size(), 20U);
  EXPECT_TRUE(after.missing.empty());
  for (const std::string& name : names) EXPECT_TRUE(objects_->find(name)) << name;
}

TEST_F(RemovalMarksTest, AMarkThatIsThereIsDone) {
  push(1);
  push(2);
  const auto marks = marks_of(load());
  ASSERT_TRUE(write({marks[0]}).ok());
  const auto first = objects_->find(removed_name(marks[0].manifest_name))->bytes;
  const auto report = write(marks);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->written, 1U);
  EXPECT_EQ(report->present, 1U);
  EXPECT_EQ(*objects_->find(removed_name(marks[0].manifest_name))->bytes, *first);
}

TEST_F(RemovalMarksTest, AnotherObjectInTheirPlaceIsToldAndStopsNoOther) {
  push(1);
  push(2);
  const auto marks = marks_of(load());
  const std::string& refused = marks[0].manifest_name;
  objects_->insert(removed_name(refused), Bytes(10), 0);
  const auto report = write(marks);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->written, 1U);
  ASSERT_TRUE(report->refused.contains(refused));
  EXPECT_EQ(report->refused.at(refused).code, ErrorCode::kCorrupt);
  EXPECT_THAT(report->refused.at(refused).message, HasSubstr("not an authentic mark"));
  ASSERT_EQ(load().live.size(), 1U);
  EXPECT_EQ(load().live.front().name, refused);
}

TEST_F(RemovalMarksTest, AnotherManifestsMarkInTheirPlaceIsTold) {
  push(1);
  push(2);
  const auto marks = marks_of(load());
  const std::string name = removed_name(marks[0].manifest_name);
  objects_->insert(name, encode_document(repository_->keys(), ObjectKind::kRemoved, name, encode_removed(marks[1])), 0);
  const auto report = write(marks);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->refused.contains(marks[0].manifest_name));
}

TEST_F(RemovalMarksTest, ASignalStopsThemAndARepetitionDoesTheRest) {
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) push(sequence);
  const auto marks = marks_of(load());
  cancel_.cancel();
  EXPECT_EQ(write(marks).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(load().live.size(), 5U);
}

TEST_F(RemovalMarksTest, ADamagedManifestGoesByItsName) {
  push(1);
  const std::string rotten = push(2);
  rot(rotten);
  const SnapshotCatalog before = load();
  ASSERT_EQ(before.broken.size(), 1U);
  const auto mark = mark_damaged(before, rotten);
  ASSERT_TRUE(mark.ok()) << mark.error().message;
  EXPECT_EQ(mark->stream, kStream);
  EXPECT_EQ(mark->sequence, 2U) << "the number that it may have had";
  EXPECT_EQ(mark->manifest_digest, before.broken[0].digest);
  ASSERT_TRUE(write({*mark}).ok());
  const SnapshotCatalog after = load();
  EXPECT_TRUE(after.broken.empty());
  EXPECT_EQ(after.next(kStream).sequence, 3U) << "no number is given twice";
}

TEST_F(RemovalMarksTest, AManifestThatIsGoneWithoutAMarkGoesByItsName) {
  const std::string gone = push(1);
  push(2, gone);
  objects_->erase(gone);
  const SnapshotCatalog before = load();
  ASSERT_EQ(before.missing.size(), 1U);
  const auto mark = mark_damaged(before, gone);
  ASSERT_TRUE(mark.ok()) << mark.error().message;
  EXPECT_EQ(mark->stream, kStream);
  EXPECT_EQ(mark->sequence, 1U);
  ASSERT_TRUE(write({*mark}).ok());
  EXPECT_TRUE(load().missing.empty()) << "no prune waits for it any more";
  EXPECT_EQ(load().next(kStream).sequence, 3U);
  holds_[gone].reason = "trial";
  EXPECT_EQ(mark_damaged(before, gone).error().code, ErrorCode::kLimitMissed);
}

TEST_F(RemovalMarksTest, OnlyADamagedManifestGoesByItsName) {
  const std::string whole = push(1), rotten = push(2), held = push(3);
  rot(rotten);
  rot(held);
  holds_[held].reason = "trial";
  SnapshotCatalog catalog = load();
  EXPECT_EQ(mark_damaged(catalog, whole).error().code, ErrorCode::kUsage);
  EXPECT_EQ(mark_damaged(catalog, removed_name(rotten)).error().code, ErrorCode::kUsage);
  EXPECT_EQ(mark_damaged(catalog, "rubbish").error().code, ErrorCode::kUsage);
  EXPECT_EQ(mark_damaged(catalog, held).error().code, ErrorCode::kLimitMissed);
  EXPECT_EQ(mark_damaged(catalog, manifest_name(StreamTag(), Uuid())).error().code, ErrorCode::kNoSnapshot);
  catalog.broken[0].error = Error(ErrorCode::kFormatTooNew, "version 2");
  EXPECT_EQ(mark_damaged(catalog, catalog.broken[0].name).error().code, ErrorCode::kFormatTooNew);
}

}  // namespace
}  // namespace drs
