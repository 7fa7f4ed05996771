#include "engine/pipeline/copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/pipeline/push.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"
#include "tests/engine/pipeline/buffer_source.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/stored_repository.h"
#include "verify/verify.h"

namespace drs {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using Outcome = SnapshotCopy::Outcome;

Secret raw_key(Byte fill) {
  Secret secret{SlotKind::kRawKey, SecretBytes(32)};
  for (Byte& byte : secret.bytes.mutable_view()) byte = fill++;
  return secret;
}

Bytes noise(std::uint32_t seed, std::size_t bytes) {
  std::mt19937_64 random(seed);
  Bytes out(bytes);
  for (Byte& byte : out) byte = static_cast<Byte>(random());
  return out;
}

// An empty target in memory.
struct Target {
  std::unique_ptr<ObjectStore> store(std::shared_ptr<FaultPlan> plan = nullptr) const {
    auto memory = make_memory_store(objects, &clock);
    return plan ? make_fault_store(std::move(memory), std::move(plan)) : std::move(memory);
  }
  Result<std::unique_ptr<Repository>> open(std::shared_ptr<FaultPlan> plan = nullptr) const {
    return Repository::open(store(std::move(plan)), clock, raw_key(90), best_crypto_backend());
  }
  void init() const {
    InitOptions options;
    options.secret = raw_key(90);
    ASSERT_TRUE(Repository::init(*store(), clock, options).ok());
  }
  void init_replica(Repository& source) const {
    const auto made = Repository::init_replica(*store(), source, {raw_key(90), "replica"});
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  std::set<std::string> names(std::string_view prefix = "") const {
    std::set<std::string> out;
    for (const ObjectInfo& info : objects->list(prefix)) out.insert(info.key);
    return out;
  }
  SystemClock clock;
  std::shared_ptr<MemoryObjects> objects = std::make_shared<MemoryObjects>();
};

Result<CopyReport> copy_all(Repository& source, Repository& target, bool mirror = false) {
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, load_snapshots(source));
  std::vector<const Snapshot*> chosen;
  for (const Snapshot& snapshot : catalog.live) chosen.push_back(&snapshot);
  CopyOptions options;
  options.memory_bytes = kMemoryBytesMin;
  options.threads = 2;
  options.mirror = mirror;
  ProgressCounters progress;
  CancelToken cancel;
  DRS_ASSIGN_OR_RETURN(CopyReport report, copy_snapshots(source, catalog, chosen, target, options, progress, cancel));
  for (SnapshotCopy& copy : report.snapshots) copy.source = nullptr;  // the catalog goes
  return report;
}

std::vector<Finding> findings_of(const Target& target) {
  const auto repository = target.open();
  EXPECT_TRUE(repository.ok()) << repository.error().message;
  const auto catalog = load_snapshots(**repository);
  EXPECT_TRUE(catalog.ok());
  ProgressCounters progress;
  CancelToken cancel;
  VerifyOptions options;
  options.read_data = true;
  options.read_only = true;
  for (const Snapshot& snapshot : catalog->live) options.rebuild.push_back(&snapshot);
  auto report = verify(**repository, *catalog, options, progress, cancel);
  EXPECT_TRUE(report.ok()) << report.error().message;
  std::erase_if(report->findings, [](const Finding& f) { return f.severity == Finding::Severity::kWarning; });
  return std::move(report->findings);
}

class ReplicaCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = stored_.open();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    source_ = *std::move(opened);
    target_.init_replica(*source_);
  }
  Result<CopyReport> copy(bool mirror = false, std::shared_ptr<FaultPlan> plan = nullptr) {
    DRS_ASSIGN_OR_RETURN(const auto target, target_.open(std::move(plan)));
    return copy_all(*source_, *target, mirror);
  }

  test::StoredRepository stored_;
  std::unique_ptr<Repository> source_;
  Target target_;
};

TEST_F(ReplicaCopyTest, HasTheSourcesIdKeyAndConfigsAndASlotOfItsOwn) {
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  EXPECT_TRUE(is_replica(*source_, **target));
  EXPECT_EQ((*target)->config_digest(), source_->config_digest());
  EXPECT_EQ(target_.names("config/"), (std::set<std::string>{stored_.config_1, stored_.config_2}));
  EXPECT_EQ(target_.names("keys/").size(), 1U);
  EXPECT_FALSE(target_.names("keys/").contains(stored_.slot_1));
  const auto again = Repository::init_replica(*target_.store(), *source_, {raw_key(90), ""});
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(Repository::init_replica(*Target().store(), *source_, {Secret{}, ""}).error().code, ErrorCode::kUsage);
}

TEST_F(ReplicaCopyTest, TakesWhatTheSnapshotsNeedAndNothingElse) {
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->replica);
  EXPECT_EQ(report->count(Outcome::kCopied), 3U);
  EXPECT_EQ(report->packs, 2U);
  for (const std::string& name : {stored_.pack_first, stored_.pack_second, stored_.index_first, stored_.manifest_1,
                                  stored_.manifest_2, stored_.manifest_3, stored_.removed})
    EXPECT_EQ(*target_.objects->find(name)->bytes, stored_.object(name)) << name;
  // The second index object names a pack that nobody needs: what is true of it was written anew.
  EXPECT_FALSE(target_.names().contains(stored_.pack_orphan));
  EXPECT_FALSE(target_.names().contains(stored_.index_second));
  EXPECT_EQ(target_.names("index/").size(), 2U);
  EXPECT_THAT(target_.names("sessions/"), IsEmpty());
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, FindsWhatIsThereAndCopiesNothingTwice) {
  ASSERT_TRUE(copy().ok());
  const std::set<std::string> before = target_.names();
  const auto again = copy();
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->count(Outcome::kPresent), 3U);
  EXPECT_EQ(again->packs + again->index_objects + again->removal_marks + again->read_bytes, 0U);
  EXPECT_EQ(target_.names(), before);
}

TEST_F(ReplicaCopyTest, NamesADamagedPackAndCopiesWhatDoesNotNeedIt) {
  Bytes bytes = stored_.object(stored_.pack_first);
  bytes[100] ^= 1;
  stored_.objects->damage(stored_.pack_first, bytes);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kDamaged), 2U);
  EXPECT_EQ(report->count(Outcome::kCopied), 1U);
  for (const SnapshotCopy& copy : report->snapshots)
    if (copy.outcome == Outcome::kDamaged) {
      EXPECT_THAT(copy.problem, HasSubstr(stored_.pack_first));
    }
  EXPECT_FALSE(target_.names().contains(stored_.pack_first));
  EXPECT_EQ(target_.names("manifests/"), std::set<std::string>{stored_.manifest_3});
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, LetsRemovalsFollowOnlyInAMirror) {
  ASSERT_TRUE(copy().ok());
  const std::string mark = removed_name(stored_.manifest_3);
  RemovedMark removed;
  removed.manifest_name = stored_.manifest_3;
  removed.stream = "gone";
  stored_.objects->insert(mark, encode_document(source_->keys(), ObjectKind::kRemoved, mark, encode_removed(removed)),
                          0);
  ASSERT_TRUE(copy().ok());
  EXPECT_FALSE(target_.names().contains(mark));
  const auto mirrored = copy(true);
  ASSERT_TRUE(mirrored.ok()) << mirrored.error().message;
  EXPECT_EQ(mirrored->removal_marks, 1U);
  const auto target = target_.open();
  const auto live = load_snapshots(**target);
  EXPECT_EQ(live->live.size(), 2U);
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, DoesNotBringBackWhatWasRemovedInTheTarget) {
  const std::string mark = removed_name(stored_.manifest_1);
  RemovedMark removed;
  removed.manifest_name = stored_.manifest_1;
  removed.stream = "db";
  target_.objects->insert(mark, encode_document(source_->keys(), ObjectKind::kRemoved, mark, encode_removed(removed)),
                          0);
  const auto report = copy();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->count(Outcome::kRemoved), 1U);
  EXPECT_FALSE(target_.names().contains(stored_.manifest_1));
}

TEST_F(ReplicaCopyTest, RefusesPacksThatAPruneOfTheTargetIsAboutToDelete) {
  target_.objects->insert(stored_.pack_first, stored_.object(stored_.pack_first), 0);
  const std::string name = condemned_name(Uuid{});
  CondemnedPacks condemned;
  condemned.packs = {stored_.pack_first_digest};
  target_.objects->insert(
      name, encode_document(source_->keys(), ObjectKind::kCondemned, name, encode_condemned(condemned)), 0);
  const auto report = copy();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kConflict);
  EXPECT_THAT(report.error().message, HasSubstr(stored_.pack_first));
  EXPECT_FALSE(target_.names().contains(stored_.manifest_1));
}

TEST_F(ReplicaCopyTest, CopiesNothingThatAnUnreadableRecordOfTheTargetMayCondemn) {
  const std::string record = condemned_name(Uuid{});
  target_.objects->insert(record, Bytes(100), target_.clock.wall_ns());
  const auto refused = copy();
  ASSERT_TRUE(refused.ok()) << refused.error().message;
  EXPECT_EQ(refused->count(Outcome::kDamaged), 3U);
  EXPECT_THAT(refused->snapshots.front().problem, HasSubstr(record));
  EXPECT_THAT(refused->warnings, testing::ElementsAre(HasSubstr(record)));
  EXPECT_THAT(target_.names("packs/"), IsEmpty());
  EXPECT_THAT(target_.names("manifests/"), IsEmpty());
  // What the target has stored since is none that the record condemns.
  target_.objects->erase(record);
  ASSERT_TRUE(copy().ok());
  for (const std::string& manifest : target_.names("manifests/")) target_.objects->erase(manifest);
  target_.objects->insert(record, Bytes(100), 1);
  const auto copied = copy();
  ASSERT_TRUE(copied.ok()) << copied.error().message;
  EXPECT_EQ(copied->count(Outcome::kCopied), 3U);
}

TEST_F(ReplicaCopyTest, ARecordThatAppearsUnreadableBeforeTheCommitStopsIt) {
  const std::string record = condemned_name(Uuid{});
  const auto hook = std::make_shared<test::StoreHook>();
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  (*target)->replace_store(std::make_unique<test::HookStore>(target_.store(), hook));
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    // A prune ends beside the copy, and its record is damaged.
    if (operation == "put" && key.starts_with("packs/")) target_.objects->insert(record, Bytes(100), 1);
    return std::nullopt;
  };
  const auto report = copy_all(*source_, **target);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 0U);
  EXPECT_THAT(target_.names("manifests/"), IsEmpty());
}

TEST_F(ReplicaCopyTest, TakesWhatEveryStreamOfASnapshotNeeds) {
  const std::string archive = stored_.add_archive();
  for (const std::string& name : {stored_.manifest_1, stored_.manifest_2, stored_.manifest_3})
    stored_.objects->erase(name);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 1U);
  EXPECT_EQ(report->packs, 2U);
  EXPECT_EQ(*target_.objects->find(archive)->bytes, stored_.object(archive));
  EXPECT_THAT(findings_of(target_), IsEmpty());
}

TEST_F(ReplicaCopyTest, PassesOverASnapshotWhoseNameIsFencedInTheTarget) {
  const auto parsed = parse_name(stored_.manifest_1);
  const Bytes fence = encode_document(source_->keys(), ObjectKind::kFence, stored_.manifest_1,
                                      encode_fence({parsed->uuid, "db", 1, "prune"}));
  target_.objects->insert(stored_.manifest_1, fence, 0);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kFenced), 1U);
  EXPECT_EQ(report->count(Outcome::kDamaged), 0U);
  EXPECT_EQ(report->count(Outcome::kCopied), 2U);
  EXPECT_EQ(*target_.objects->find(stored_.manifest_1)->bytes, fence);
}

TEST_F(ReplicaCopyTest, NeverPutsAgainWhatAPruneOfTheTargetHasCondemnedAndDeleted) {
  const std::string name = condemned_name(Uuid{});
  target_.objects->insert(name,
                          encode_document(source_->keys(), ObjectKind::kCondemned, name,
                                          encode_condemned({1, {stored_.pack_first_digest}})),
                          0);
  const auto report = copy();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kConflict);
  EXPECT_FALSE(target_.names().contains(stored_.pack_first));
  EXPECT_FALSE(target_.names().contains(stored_.manifest_1));
}

TEST_F(ReplicaCopyTest, LocksAnewAllThatItReusesInTheTarget) {
  ASSERT_TRUE(copy().ok());
  for (const std::string& manifest : {stored_.manifest_1, stored_.manifest_2, stored_.manifest_3})
    target_.objects->erase(manifest);
  target_.objects->lock_objects();
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kCopied), 3U);
  EXPECT_EQ(report->packs, 0U);
  const auto retained = target_.objects->retained();
  for (const char* const prefix : {"packs/", "index/", "config/", "keys/"})
    for (const std::string& locked : target_.names(prefix)) EXPECT_TRUE(retained.contains(locked)) << locked;
  for (const std::string& pack : target_.names("packs/")) EXPECT_EQ(retained.at(pack), 1) << pack;
}

TEST_F(ReplicaCopyTest, TellsOfADamagedManifestInTheTarget) {
  target_.objects->insert(stored_.manifest_1, Bytes(40, 1), 0);
  const auto report = copy();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->count(Outcome::kDamaged), 1U);
  EXPECT_EQ(*target_.objects->find(stored_.manifest_1)->bytes, Bytes(40, 1));
}

TEST_F(ReplicaCopyTest, EveryFaultLeavesWholeSnapshotsAndTheNextRunFinishes) {
  for (const FaultKind kind : {FaultKind::kFail, FaultKind::kLoseReply}) {
    for (std::uint64_t nth = 1;; ++nth) {
      target_ = Target();
      target_.init_replica(*source_);
      const auto plan = std::make_shared<FaultPlan>();
      const auto target = target_.open(plan);
      ASSERT_TRUE(target.ok());
      plan->fail_nth(nth, {kind, kind == FaultKind::kFail ? ErrorCode::kNoSpace : ErrorCode::kUnavailable});
      const auto report = copy_all(*source_, **target);
      if (plan->faults() == 0) break;
      if (report.ok()) {
        EXPECT_EQ(report->count(Outcome::kCopied), 3U);
      }
      ASSERT_THAT(findings_of(target_), IsEmpty()) << nth;
      const auto again = copy();
      ASSERT_TRUE(again.ok()) << nth << ": " << again.error().message;
      EXPECT_EQ(again->count(Outcome::kCopied) + again->count(Outcome::kPresent), 3U) << nth;
      ASSERT_THAT(findings_of(target_), IsEmpty()) << nth;
    }
  }
}

class StreamCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    source_target_.init();
    target_.init();
    source_ = *source_target_.open();
  }
  void push_bytes(const std::string& stream, ByteView bytes) {
    PushOptions options;
    options.stream = stream;
    options.tags = {{"env", "test"}};
    options.host = "producer";
    options.gates.allow_empty = true;
    const auto memory = plan_push(kMemoryBytesMin, 1, options.compression);
    auto arena = BufferArena::map(memory->arena_bytes);
    BufferSource source(bytes);
    ProgressCounters progress;
    CancelToken cancel;
    const auto pushed = push(*source_, source, options, *memory, *arena, progress, cancel);
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
  EXPECT_LT(to->live[1].manifest.new_bytes, 200'000U);  // what is equal was found
  EXPECT_THAT(findings_of(target_), IsEmpty());
  const auto again = copy_all(*source_, **target);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->count(Outcome::kPresent), 3U);
  EXPECT_EQ(again->stored_bytes, 0U);
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
      // Unsettled: what stands there was not looked at to the end.
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
      const auto plan = plan_copy(memory * kMiB, threads, {});
      ASSERT_TRUE(plan.ok()) << memory << plan.error().message;
      EXPECT_LE(plan->pull.arena_bytes + plan->pull.index_cache_bytes + plan->push.arena_bytes +
                    plan->push.index_table_bytes + plan->push.index_cache_bytes,
                memory * kMiB);
      EXPECT_GE(plan->pull.block_buffers, 4U);
      EXPECT_GE(plan->push.workers, 1U);
      // From one bucket to another.
      const StoreNeeds far{.parallel_max = 8, .operation_bytes = 1 * kMiB};
      const auto buckets = plan_copy(memory * kMiB, threads, {}, far, far);
      ASSERT_TRUE(buckets.ok()) << memory << buckets.error().message;
      EXPECT_LT(buckets->pull.block_buffers, 5000U);
      EXPECT_GE(buckets->pull.block_buffers, 2U);
      EXPECT_GE(buckets->push.workers, 1U);
      EXPECT_LE(buckets->pull.arena_bytes + buckets->push.arena_bytes, memory * kMiB);
    }
    const auto replica = plan_replica_copy(memory * kMiB);
    ASSERT_TRUE(replica.ok());
    EXPECT_LE(replica->objects_bytes + replica->index_cache_bytes, memory * kMiB);
    EXPECT_GE(replica->objects_bytes, 64 * kMiB);  // the largest pack that push makes
  }
  EXPECT_EQ(plan_copy(95 * kMiB, 1, {}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(plan_replica_copy(95 * kMiB).error().code, ErrorCode::kUsage);
  const auto heavy = plan_copy(96 * kMiB, 1, *parse_compression("zstd:19"));
  if (!heavy.ok()) {
    EXPECT_THAT(heavy.error().message, HasSubstr("of --memory 96 MiB"));
  }
}

}  // namespace
}  // namespace drs
