// Copies into a repository with different keys: each stream is restored and stored anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/pipeline/push/push.h"
#include "tests/engine/pipeline/copy/copy_runs.h"
#include "tests/engine/pipeline/push/buffer_source.h"
#include "tests/verify/stored_repository.h"

namespace drs::test {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using Outcome = SnapshotCopy::Outcome;

class StreamCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    source_target_.init();
    target_.init();
    source_ = *source_target_.open();
  }
  void push_bytes(const std::string& stream, ByteView bytes, std::optional<WallNs> snapshot_ns = std::nullopt) {
    push_into(*source_, stream, bytes, snapshot_ns);
  }
  static void push_into(Repository& repository, const std::string& stream, ByteView bytes,
                        std::optional<WallNs> snapshot_ns = std::nullopt) {
    PushOptions options;
    options.stream = stream;
    options.snapshot_ns = snapshot_ns;
    options.tags = {{"env", "test"}};
    options.host = "producer";
    options.gates.allow_empty = true;
    const auto memory = plan_push({.memory_bytes = kMemoryBytesMin, .threads = 1}, options.compression);
    auto arena = BufferArena::map(memory->arena_bytes);
    BufferSource source(bytes);
    ProgressCounters progress;
    CancelToken cancel;
    const auto pushed = push(repository, source, options, {*memory, *arena}, {progress, cancel});
    ASSERT_TRUE(pushed.ok()) << pushed.error().message;
  }

  Target source_target_, target_;
  std::unique_ptr<Repository> source_;
};

TEST_F(StreamCopyTest, KeepsTheStreamItsTimeTagsAndDigests) {
  const Bytes first = noise(1, 5 << 20);
  Bytes second = first;
  second[1 << 20] ^= 1;
  push_bytes("a", first);
  push_bytes("a", second);
  push_bytes("empty", {});
  const auto target = target_.open();
  const auto report = copy_all(*source_, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->replica);
  EXPECT_EQ(report->count(Outcome::kCopied), 3U);
  const auto from = load_snapshots(*source_);
  const auto to = load_snapshots(**target);
  ASSERT_EQ(to->live.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const ManifestHeader& source = from->live[i].manifest;
    const ManifestHeader& copy = to->live[i].manifest;
    EXPECT_EQ(copy.stream, source.stream);
    EXPECT_EQ(copy.sequence, source.sequence);
    EXPECT_EQ(copy.snapshot_ns, source.snapshot_ns);
    EXPECT_EQ(copy.tags, source.tags);
    EXPECT_EQ(copy.host, "producer");
    EXPECT_EQ(copy.sha256, source.sha256);
    EXPECT_NE(copy.session, source.session);
  }
  EXPECT_LT(to->live[1].manifest.new_bytes, 200'000U);  // equal chunks were found
  EXPECT_THAT(findings_of(target_), IsEmpty());
  const auto again = copy_all(*source_, **target);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->count(Outcome::kPresent), 3U);
  EXPECT_EQ(again->stored_bytes, 0U);
}

TEST_F(StreamCopyTest, AnOlderSnapshotIsNotAppendedBehindANewerOne) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) push_bytes("a", noise(seed, 1000));
  const auto target = target_.open();
  ASSERT_EQ(copy_some(*source_, **target, {2})->count(Outcome::kCopied), 1U);
  const auto report = copy_all(*source_, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kPresent), 1U);
  ASSERT_EQ(report->count(Outcome::kSkipped), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(report->snapshots[i].is_older);
    EXPECT_THAT(report->snapshots[i].problem, HasSubstr("by its id"));
  }
  EXPECT_EQ(load_snapshots(**target)->live.size(), 1U);
  const auto nevertheless = copy_some(*source_, **target, {0}, true);
  ASSERT_TRUE(nevertheless.ok()) << nevertheless.error().message;
  EXPECT_EQ(nevertheless->count(Outcome::kCopied), 1U);
  EXPECT_THAT(nevertheless->warnings, Contains(HasSubstr("is now the latest")));
}

TEST_F(StreamCopyTest, TheOrderOfTheSourceIsKeptWhateverItsTimes) {
  push_bytes("a", noise(1, 1000));
  push_bytes("a", noise(2, 1000), 1'000'000);  // an old dump that was imported later
  push_bytes("a", noise(3, 1000), 2'000'000);
  const auto target = target_.open();
  const auto report = copy_all(*source_, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 3U);
  EXPECT_EQ(copy_all(*source_, **target)->count(Outcome::kPresent), 3U);
}

TEST_F(StreamCopyTest, WhatWasPushedIntoTheTargetCountsByItsTime) {
  push_bytes("a", noise(1, 1000));
  push_bytes("b", noise(2, 1000));
  const auto target = target_.open();
  push_into(**target, "a", noise(3, 1000));
  push_into(**target, "b", noise(4, 1000), 1'000'000);
  const auto report = copy_all(*source_, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->snapshots[0].is_older);
  EXPECT_EQ(report->snapshots[1].outcome, Outcome::kCopied);
}

TEST_F(StreamCopyTest, CommitsNothingOfADamagedSnapshot) {
  push_bytes("a", noise(1, 3 << 20));
  push_bytes("b", noise(2, 3 << 20));
  const auto packs = source_target_.names("packs/");
  const std::string name = *packs.begin();
  Bytes bytes = *source_target_.objects->find(name)->bytes;
  bytes[bytes.size() / 3] ^= 1;
  source_target_.objects->damage(name, bytes);
  const auto target = target_.open();
  const auto report = copy_all(*source_, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kDamaged), 1U);
  EXPECT_EQ(report->count(Outcome::kCopied), 1U);
  EXPECT_EQ(load_snapshots(**target)->live.size(), 1U);
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(StreamCopyTest, PassesOverASnapshotThatItCannotRestore) {
  test::StoredRepository stored;
  const auto of_segments = [](Manifest& manifest) { manifest.content = ManifestContent::kTopicSegments; };
  const Uuid archive = parse_name(stored.add_archive(of_segments))->uuid;
  const auto source = stored.open();
  const auto target = target_.open();
  const auto report = copy_all(**source, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 3U);
  ASSERT_EQ(report->count(Outcome::kSkipped), 1U);
  for (const SnapshotCopy& copy : report->snapshots) {
    if (copy.outcome != Outcome::kSkipped) continue;
    EXPECT_EQ(copy.reason, ErrorCode::kFormatTooNew);
    EXPECT_THAT(copy.problem, HasSubstr(archive.hex()));
  }
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(StreamCopyTest, CopiesEachStreamOfAnArchiveAndNoneASecondTime) {
  test::StoredRepository stored;
  const std::string name = stored.add_archive();
  const auto source = stored.open();
  const auto target = target_.open();
  ASSERT_EQ(copy_all(**source, **target)->count(Outcome::kCopied), 4U);
  const Manifest original = *open_manifest((*source)->keys(), name, stored.object(name));
  const SnapshotCatalog catalog = *load_snapshots(**target, "topics");
  const Manifest copied = *read_manifest(**target, (*target)->store(), catalog.live.front());
  ASSERT_EQ(copied.streams.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(copied.streams[i].label, original.streams[i].label);
    EXPECT_EQ(copied.streams[i].xxh3, original.streams[i].xxh3);
  }
  EXPECT_EQ(copied.snapshot_ns, original.snapshot_ns);
  EXPECT_EQ(copy_all(**source, **target)->count(Outcome::kPresent), 4U);
  // Its first stream is no catalogue; nothing else is found.
  const std::vector<Finding> findings = findings_of(target_);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_NE(findings.front().problem.find("catalogue"), std::string::npos) << findings.front().problem;
}

TEST_F(StreamCopyTest, AMirrorMustBeAReplica) {
  const auto target = target_.open();
  EXPECT_EQ(copy_all(*source_, **target, true).error().code, ErrorCode::kUsage);
}

TEST_F(StreamCopyTest, EveryFaultLeavesWholeSnapshotsAndTheNextRunFinishes) {
  push_bytes("a", noise(1, 100'000));
  for (std::uint64_t nth = 1;; ++nth) {
    target_ = Target();
    target_.init();
    const auto plan = std::make_shared<FaultPlan>();
    const auto target = target_.open(plan);
    plan->fail_nth(nth, {FaultKind::kFail, ErrorCode::kNoSpace});
    const auto report = copy_all(*source_, **target);
    if (plan->faults() == 0) break;
    if (!report.ok()) {
      // Unsettled: the error occurred while the commit was being checked.
      EXPECT_THAT(report.error().code, AnyOf(ErrorCode::kNoSpace, ErrorCode::kUnsettled))
          << nth << report.error().message;
    }
    ASSERT_THAT(findings_of(target_), IsEmpty()) << nth;
    const auto again = copy_all(*source_, **target_.open());
    ASSERT_TRUE(again.ok()) << nth << ": " << again.error().message;
    ASSERT_THAT(findings_of(target_), IsEmpty()) << nth;
  }
}

TEST(CopyMemory, StaysWithinTheCeiling) {
  for (const std::size_t memory : {96UL, 128UL, 256UL, 1024UL}) {
    for (const std::size_t threads : {1UL, 2UL, 64UL}) {
      const auto plan = plan_copy({.memory_bytes = memory * kMiB, .threads = threads}, {});
      ASSERT_TRUE(plan.ok()) << memory << plan.error().message;
      EXPECT_LE(plan->pull.arena_bytes + plan->pull.index_cache_bytes + plan->push.arena_bytes +
                    plan->push.index_table_bytes + plan->push.index_cache_bytes,
                memory * kMiB);
      EXPECT_GE(plan->pull.block_buffers, 4U);
      EXPECT_GE(plan->push.workers, 1U);
      // A copy from one bucket to another.
      const StoreNeeds far{.parallel_max = 8, .operation_bytes = 1 * kMiB};
      const auto buckets =
          plan_copy({.memory_bytes = memory * kMiB, .threads = threads}, {}, {.source = far, .target = far});
      ASSERT_TRUE(buckets.ok()) << memory << buckets.error().message;
      EXPECT_LT(buckets->pull.block_buffers, 5000U);
      EXPECT_GE(buckets->pull.block_buffers, 2U);
      EXPECT_GE(buckets->push.workers, 1U);
      EXPECT_LE(buckets->pull.arena_bytes + buckets->push.arena_bytes, memory * kMiB);
    }
    const auto replica = plan_replica_copy(memory * kMiB);
    ASSERT_TRUE(replica.ok());
    EXPECT_LE(replica->objects_bytes + replica->index_cache_bytes, memory * kMiB);
    EXPECT_GE(replica->objects_bytes, 64 * kMiB);  // the largest pack that a push makes
  }
  EXPECT_EQ(plan_copy({.memory_bytes = 95 * kMiB, .threads = 1}, {}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(plan_replica_copy(95 * kMiB).error().code, ErrorCode::kUsage);
  const auto heavy = plan_copy({.memory_bytes = 96 * kMiB, .threads = 1}, *parse_compression("zstd:19"));
  if (!heavy.ok()) {
    EXPECT_THAT(heavy.error().message, HasSubstr("of --memory 96 MiB"));
  }
}

}  // namespace
}  // namespace drs::test
