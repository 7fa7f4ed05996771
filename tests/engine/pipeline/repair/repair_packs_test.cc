// Repairs of a repository in memory that real pushes have filled, from a replica of it and on its own.
#include "engine/pipeline/repair/repair_packs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/sha256.h"
#include "engine/format/verified.h"
#include "engine/pipeline/keeping/deletion_record.h"
#include "engine/repository/damage.h"
#include "tests/engine/pipeline/keeping/keeping_fixture.h"
#include "tests/sinks/hook_store.h"
#include "verify/verify.h"

namespace drs::test {
namespace {

using Fate = RepairedPack::Fate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

class RepairPacksTest : public KeepingTest {
 protected:
  void SetUp() override {
    KeepingTest::SetUp();
    pushed_ = push_stream(random_stream(1, 4'000'000));
    pack_ = largest_pack();
    for (const ObjectInfo& info : objects_->list(""))
      replica_objects_->insert(info.key, *objects_->find(info.key)->bytes, info.modified_ns);
    Secret secret{SlotKind::kRawKey, SecretBytes(32)};
    secret.bytes.mutable_view()[0] = 1;
    auto opened =
        Repository::open(make_memory_store(replica_objects_, &store_clock_), clock_, secret, best_crypto_backend());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    replica_ = *std::move(opened);
  }

  std::string largest_pack() const {
    std::string largest;
    std::uint64_t bytes = 0;
    for (const ObjectInfo& info : objects_->list("packs/"))
      if (info.size_bytes > bytes) bytes = info.size_bytes, largest = info.key;
    return largest;
  }
  // Flips a bit, in its middle unless told where.
  static void rot(MemoryObjects& objects, const std::string& name, std::optional<std::size_t> offset = {}) {
    Bytes bytes = *objects.find(name)->bytes;
    bytes[offset.value_or(bytes.size() / 2)] ^= Byte{1};
    objects.erase(name);
    objects.insert(name, std::move(bytes), 1);
  }
  void mark(const std::string& name) {
    ASSERT_TRUE(mark_damaged(repository_->store(), clock_, parse_name(name)->digest, {.found_by = "test"}).ok());
  }
  // Flips a bit and stores the pack under the name that then fits its bytes, as a machine with faulty memory would have
  // done. No index object names it, so it is found by its own table. Returns that name.
  std::string forge(const std::string& name, std::size_t offset) {
    Bytes bytes = *objects_->find(name)->bytes;
    bytes[offset] ^= Byte{1};
    const std::string forged = pack_name(sha256(bytes));
    objects_->erase(name);
    objects_->insert(forged, std::move(bytes), 1);
    for (const std::string& index : names("index/")) objects_->erase(index);
    return forged;
  }
  // In the middle of the sealed bytes.
  std::size_t inside_a_block(const std::string& name, BlockKind kind, std::size_t place = 0) {
    const auto table = read_pack_table(*repository_, repository_->store(), parse_name(name)->digest,
                                       objects_->find(name)->bytes->size());
    EXPECT_TRUE(table.ok());
    for (const TableBlock& block : table->blocks)
      if (block.record.kind == kind && place-- == 0) return block.record.offset_bytes + block.record.sealed_bytes / 2;
    ADD_FAILURE() << name << " has no such block";
    return 0;
  }
  std::string pack_with(BlockKind kind) {
    for (const std::string& name : names("packs/")) {
      const auto table = read_pack_table(*repository_, repository_->store(), parse_name(name)->digest,
                                         objects_->find(name)->bytes->size());
      EXPECT_TRUE(table.ok());
      for (const TableBlock& block : table->blocks)
        if (block.record.kind == kind) return name;
    }
    ADD_FAILURE() << "no pack has such a block";
    return "";
  }
  void condemn(const std::string& name) {
    const auto record = put_condemned(*repository_, {parse_name(name)->digest});
    ASSERT_TRUE(record.ok());
    ASSERT_TRUE(put_waits(*repository_, *record).ok());
  }
  void hook(StoreHook called) {
    repository_->replace_store(std::make_unique<HookStore>(make_memory_store(objects_, &store_clock_),
                                                           std::make_shared<StoreHook>(std::move(called))));
  }

  enum class From { kReplica, kItself };
  Result<RepairPacksReport> try_repair(From from = From::kReplica, bool dry_run = false) {
    ProgressCounters progress;
    CancelToken cancel;
    std::unique_ptr<OtherRepository> other;
    if (from == From::kReplica) {
      DRS_ASSIGN_OR_RETURN(other, OtherRepository::open(*replica_, *repository_, 4 * kMiB));
    }
    return repair_packs(*repository_, other.get(), {.host = "db1", .dry_run = dry_run}, {progress, cancel});
  }
  RepairPacksReport repair(From from = From::kReplica, bool dry_run = false) {
    auto report = try_repair(from, dry_run);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *std::move(report) : RepairPacksReport{};
  }
  static std::vector<Fate> fates(const RepairPacksReport& report) {
    std::vector<Fate> all;
    for (const RepairedPack& pack : report.packs) all.push_back(pack.fate);
    return all;
  }
  std::vector<Finding::Severity> verify_all() {
    ProgressCounters progress;
    CancelToken cancel;
    const SnapshotCatalog catalog = load();
    VerifyOptions options;
    options.read_data = true;
    options.threads = 1;
    const auto report = verify(*repository_, catalog, options, progress, cancel);
    EXPECT_TRUE(report.ok()) << report.error().message;
    std::vector<Finding::Severity> severities;
    if (report.ok())
      for (const Finding& finding : report->findings) severities.push_back(finding.severity);
    return severities;
  }

  Pushed pushed_;
  std::string pack_;
  std::shared_ptr<MemoryObjects> replica_objects_ = std::make_shared<MemoryObjects>();
  std::unique_ptr<Repository> replica_;
};

TEST_F(RepairPacksTest, ADamagedPackIsNeitherReplacedNorDeletedAndItsBlocksGetGoodCopies) {
  rot(*objects_, pack_);
  mark(pack_);
  const Bytes rotten = *objects_->find(pack_)->bytes;
  const auto before = names("packs/");
  EXPECT_THAT(fates(repair()), ElementsAre(Fate::kCondemned));
  EXPECT_EQ(*objects_->find(pack_)->bytes, rotten);
  EXPECT_THAT(names("packs/"), IsSupersetOf(before));
  EXPECT_THAT(verify_all(), ElementsAre(Finding::Severity::kWarning));
  EXPECT_THAT(names("damaged/"), IsEmpty());
  expect_restores(pushed_);
  prune_with(at_once());
  EXPECT_FALSE(names("packs/").contains(pack_));
  prune_with(at_once());  // the index object that named it
  EXPECT_THAT(verify_all(), IsEmpty());
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, ANewCopyThatRotsIsNotReliedOn) {
  rot(*objects_, pack_);
  mark(pack_);
  const auto before = names("packs/");
  std::string rotten;
  hook([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "put" || !key.starts_with("index/") || !rotten.empty()) return std::nullopt;
    for (const std::string& name : names("packs/"))
      if (!before.contains(name)) rot(*objects_, rotten = name);
    return std::nullopt;
  });
  EXPECT_THAT(fates(repair()), ElementsAre(Fate::kCondemned, Fate::kCondemned));
  EXPECT_FALSE(rotten.empty());
  EXPECT_THAT(verify_all(), ElementsAre(Finding::Severity::kWarning, Finding::Severity::kWarning));
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, APackOfWhichABlockStaysLostIsNotCondemned) {
  rot(*objects_, pack_);
  mark(pack_);
  const auto before = names("");
  const auto report = repair(From::kItself);
  EXPECT_THAT(fates(report), ElementsAre(Fate::kStays));
  ASSERT_EQ(report.snapshots.size(), 1U);
  EXPECT_EQ(report.snapshots[0].stream, "s");
  EXPECT_EQ(names(""), before);
}

TEST_F(RepairPacksTest, AMarkIsNotBelieved) {
  mark(pack_);
  const auto before = names("packs/");
  const auto report = repair();
  EXPECT_THAT(report.packs, IsEmpty());
  EXPECT_EQ(report.packs_intact, 1U);
  EXPECT_EQ(names("packs/"), before);
  EXPECT_THAT(names("condemned/"), IsEmpty());
  EXPECT_THAT(names("damaged/"), IsEmpty());
}

TEST_F(RepairPacksTest, ABlockThatIsDamagedUnderANameThatFitsKeepsItsMark) {
  const std::string forged = forge(pack_, inside_a_block(pack_, BlockKind::kData));
  mark(forged);
  const auto marks = names("damaged/");
  const auto report = repair(From::kItself);
  EXPECT_THAT(fates(report), ElementsAre(Fate::kStays));
  EXPECT_THAT(report.packs[0].problem, HasSubstr("block "));
  EXPECT_EQ(report.packs_intact, 0U);
  EXPECT_EQ(report.snapshots.size(), 1U);
  EXPECT_EQ(names("damaged/"), marks);
  // So the next push stores the chunks of that pack anew, and what it rests on restores.
  expect_restores(push_stream(pushed_.stream));
  EXPECT_TRUE(repair(From::kItself).is_whole());
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, ARecipeThatIsDamagedUnderANameThatFitsKeepsItsMark) {
  const std::string pack = pack_with(BlockKind::kRecipe);
  const std::string forged = forge(pack, inside_a_block(pack, BlockKind::kRecipe));
  mark(forged);
  const auto marks = names("damaged/");
  const auto report = repair(From::kItself);
  EXPECT_THAT(fates(report), ElementsAre(Fate::kStays));
  EXPECT_EQ(report.packs_intact, 0U);
  EXPECT_EQ(names("damaged/"), marks);
  expect_restores(push_stream(pushed_.stream));
}

TEST_F(RepairPacksTest, AMarkOfOneBlockIsNotEnoughForAPackWithTwoDamagedOnes) {
  const auto first = inside_a_block(pack_, BlockKind::kData), second = inside_a_block(pack_, BlockKind::kData, 1);
  const std::string forged = forge(pack_, second);
  rot(*objects_, forged, first);
  ASSERT_TRUE(mark_damaged(repository_->store(), clock_, parse_name(forged)->digest,
                           {.found_by = "test", .blocks = {{static_cast<std::uint32_t>(first), 1}}})
                  .ok());
  EXPECT_THAT(fates(repair(From::kItself)), ElementsAre(Fate::kStays));
  EXPECT_EQ(names("damaged/").size(), 2U);
  expect_restores(push_stream(pushed_.stream));
}

TEST_F(RepairPacksTest, WhatIsFoundAfterAPackWasReadCountsToo) {
  const Digest pack = parse_name(pack_)->digest;
  const std::uint64_t bytes = objects_->find(pack_)->bytes->size();
  auto table = read_pack_table(*repository_, repository_->store(), pack, bytes);
  ASSERT_TRUE(table.ok());
  IndexWriter index(*repository_, repository_->store());
  ASSERT_TRUE(index.add({{pack, bytes + 1, table->salt}, std::move(table->blocks)}).ok());
  ASSERT_TRUE(index.flush().ok());
  mark(pack_);
  const auto report = repair();
  ASSERT_THAT(fates(report), ElementsAre(Fate::kCondemned));
  EXPECT_THAT(report.packs[0].problem, HasSubstr(" bytes, but index/"));
  EXPECT_EQ(report.packs_intact, 0U);
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, AFlippedBitThatLooksLikeANewerFormatIsDamage) {
  const std::size_t key_method = 9;  // FORMAT.md "Envelope"
  rot(*objects_, pack_, key_method);
  mark(pack_);
  EXPECT_THAT(fates(repair()), ElementsAre(Fate::kCondemned));
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, WhatASweepHasFoundIsReadWithoutAMark) {
  rot(*objects_, pack_);
  Verified record;
  record.ended_ns = 1;
  record.host = "db1";
  record.tool = "test";
  record.damaged = {{parse_name(pack_)->digest, ProofLevel::kDigest, 1}};
  put(ObjectKind::kVerified, verified_name(Uuid{}), encode_verified(record));
  EXPECT_THAT(fates(repair(From::kItself)), ElementsAre(Fate::kStays));
  EXPECT_EQ(names("damaged/").size(), 1U) << "the next push stores anew what it names";
  EXPECT_THAT(fates(repair()), ElementsAre(Fate::kCondemned));
  EXPECT_THAT(repair().packs, IsEmpty()) << "a condemned pack is not looked at again";
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, TheMarkOfAPackThatIsGoneGoes) {
  mark(pack_name(Digest{}));
  const auto planned = repair(From::kItself, true);
  EXPECT_EQ(planned.packs_gone, 1U);
  EXPECT_EQ(names("damaged/").size(), 1U);
  const auto report = repair(From::kItself);
  EXPECT_EQ(report.packs_gone, 1U);
  EXPECT_EQ(report.marks_removed, 1U);
  EXPECT_THAT(names("damaged/"), IsEmpty());
}

TEST_F(RepairPacksTest, WhileABlockIsLostTheMarksOfPacksThatAreGoneStay) {
  mark(pack_);
  objects_->erase(pack_);
  for (const std::string& index : names("index/")) objects_->erase(index);
  const auto report = repair(From::kItself);
  EXPECT_FALSE(report.is_whole());
  EXPECT_EQ(report.packs_gone, 0U);
  EXPECT_THAT(report.warnings, testing::Contains(HasSubstr("marks name 1 packs that are gone")));
  EXPECT_EQ(names("damaged/").size(), 1U);
}

TEST_F(RepairPacksTest, WhileAnIndexObjectCannotBeReadTheMarksOfPacksThatAreGoneStay) {
  mark(pack_name(Digest{}));
  objects_->insert(index_name(Digest{}), Bytes(100), 1);
  const auto report = repair(From::kItself);
  EXPECT_EQ(report.packs_gone, 0U);
  EXPECT_EQ(names("damaged/").size(), 1U);
}

TEST_F(RepairPacksTest, AMissingPackIsPutAgain) {
  objects_->erase(pack_);
  EXPECT_THAT(fates(repair(From::kReplica, true)), ElementsAre(Fate::kPutAgain));
  EXPECT_FALSE(names("packs/").contains(pack_));
  EXPECT_THAT(fates(repair()), ElementsAre(Fate::kPutAgain));
  EXPECT_TRUE(names("packs/").contains(pack_));
  EXPECT_THAT(names("condemned/"), IsEmpty());
  EXPECT_THAT(verify_all(), IsEmpty());
}

TEST_F(RepairPacksTest, AMissingPackThatARecordNamesIsNotPutAgain) {
  condemn(pack_);
  objects_->erase(pack_);
  const auto report = repair();
  EXPECT_FALSE(names("packs/").contains(pack_));
  EXPECT_TRUE(report.is_whole());
  EXPECT_GT(report.healed.copied, 0U);
  EXPECT_THAT(verify_all(), testing::Each(Finding::Severity::kWarning));
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, ABlockThatOnlyACondemnedPackHoldsIsReadWithoutAMark) {
  condemn(pack_);
  rot(*objects_, pack_);
  const auto report = repair();
  EXPECT_THAT(fates(report), ElementsAre(Fate::kCondemnedBefore));
  EXPECT_GT(report.healed.copied, 0U);
  EXPECT_GT(report.healed.moved, 0U);
  EXPECT_THAT(verify_all(), ElementsAre(Finding::Severity::kWarning));
  EXPECT_THAT(names("damaged/"), IsEmpty());
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, ARecipeThatRotsWithoutAMarkIsFoundAndHealed) {
  for (const std::string& name : names("packs/")) {
    const auto table = read_pack_table(*repository_, repository_->store(), parse_name(name)->digest,
                                       objects_->find(name)->bytes->size());
    ASSERT_TRUE(table.ok());
    for (const TableBlock& block : table->blocks)
      if (block.record.kind == BlockKind::kRecipe) rot(*objects_, name, block.record.offset_bytes);
  }
  const auto lost = repair(From::kItself);
  EXPECT_THAT(fates(lost), ElementsAre(Fate::kStays));
  EXPECT_EQ(names("damaged/").size(), 1U) << "the next push stores anew what it names";
  EXPECT_THAT(fates(repair()), ElementsAre(Fate::kCondemned));
  EXPECT_THAT(verify_all(), ElementsAre(Finding::Severity::kWarning));
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, WhileARecordCannotBeReadNothingIsPutAgainUnderItsName) {
  objects_->insert(condemned_name(Uuid{}), Bytes(100), 1);
  objects_->erase(pack_);
  const auto report = repair();
  EXPECT_FALSE(names("packs/").contains(pack_));
  EXPECT_THAT(report.warnings, testing::Contains(HasSubstr("it may name any pack that is missing")));
  EXPECT_TRUE(report.is_whole());
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, APackThatIsDamagedInTheReplicaIsNotPutAgain) {
  objects_->erase(pack_);
  rot(*replica_objects_, pack_);
  const auto report = repair();
  EXPECT_THAT(fates(report), ElementsAre(Fate::kStays));
  EXPECT_FALSE(names("packs/").contains(pack_));
  EXPECT_EQ(report.packs[0].lost_blocks, 1U);
}

TEST_F(RepairPacksTest, ARunThatAPruneHasFencedPutsNothingAgain) {
  objects_->erase(pack_);
  bool fenced = false;
  hook([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "list" || !key.starts_with("condemned/") || std::exchange(fenced, true)) return std::nullopt;
    const auto sessions = names("sessions/");
    EXPECT_EQ(sessions.size(), 1U);
    const auto session = parse_name(*sessions.begin());
    const Fence fence{.session = session->uuid, .stream = "repair packs", .fenced_ns = 1, .fenced_by = "test"};
    const std::string name = manifest_name(session->tag, session->uuid);
    objects_->insert(name, encode_document(repository_->keys(), ObjectKind::kFence, name, encode_fence(fence)), 1);
    return std::nullopt;
  });
  const auto report = try_repair();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kConflict);
  EXPECT_FALSE(names("packs/").contains(pack_));
}

TEST_F(RepairPacksTest, APruneThatCondemnsMeanwhileWaitsForTheRepair) {
  objects_->erase(pack_);
  bool pruned = false;
  hook([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "put" || key != pack_ || std::exchange(pruned, true)) return std::nullopt;
    condemn(pack_name(Digest{}));
    const auto records = load_deletion_records(*repository_);
    EXPECT_TRUE(records.ok());
    EXPECT_EQ(records->at(0).waits->sessions.size(), 1U);
    return std::nullopt;
  });
  EXPECT_TRUE(repair().is_whole());
  EXPECT_TRUE(pruned);
  EXPECT_THAT(names("sessions/"), IsEmpty());
  expect_restores(pushed_);
}

TEST_F(RepairPacksTest, ABlockIsRebuiltOnlyFromItsOwnBytes) {
  const auto table = read_pack_table(*repository_, repository_->store(), parse_name(pack_)->digest,
                                     objects_->find(pack_)->bytes->size());
  ASSERT_TRUE(table.ok());
  const TableBlock& block = table->blocks.front();
  Bytes plain(pushed_.stream.begin(), pushed_.stream.begin() + block.record.raw_bytes);
  auto mover = BlockMover::make(*repository_, repository_->store(), {});
  ASSERT_TRUE(mover.ok());
  plain.back() ^= Byte{1};
  const auto refused = mover->add_rebuilt(block, plain);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  plain.back() ^= Byte{1};
  ASSERT_TRUE(mover->add_rebuilt(block, plain).ok());
  const auto before = names("packs/");
  ASSERT_TRUE(mover->flush().ok());
  EXPECT_EQ(names("packs/").size(), before.size() + 1);
  EXPECT_THAT(verify_all(), IsEmpty());
}

TEST_F(RepairPacksTest, ASecondRunFindsNothingToDo) {
  rot(*objects_, pack_);
  mark(pack_);
  repair();
  const auto before = names("");
  const auto again = repair();
  EXPECT_THAT(again.packs, IsEmpty());
  EXPECT_TRUE(again.is_whole());
  EXPECT_EQ(names(""), before);
}

TEST_F(RepairPacksTest, ADryRunWritesNothing) {
  rot(*objects_, pack_);
  mark(pack_);
  const auto before = names("");
  const auto planned = repair(From::kReplica, true);
  EXPECT_EQ(names(""), before);
  const auto done = repair();
  EXPECT_EQ(fates(planned), fates(done));
  EXPECT_EQ(planned.healed.sum(), done.healed.sum());
}

}  // namespace
}  // namespace drs::test
