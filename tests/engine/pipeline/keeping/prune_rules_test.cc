// The rules on which a deletion relies, each broken by what other processes or a damaged store may do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/sha256.h"
#include "engine/repository/index_writer.h"
#include "engine/repository/pack_table.h"
#include "engine/repository/put_hold.h"
#include "engine/repository/snapshots.h"
#include "tests/engine/pipeline/keeping/keeping_fixture.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

using namespace std::chrono_literals;
using test::KeepingTest;
using test::random_stream;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kStreamBytes = 200'000;

class PruneRulesTest : public KeepingTest {
 protected:
  static Digest digest_of(const std::string& name) { return parse_name(name)->digest; }
  // A record that waits for nobody.
  void condemn(const std::set<std::string>& objects) {
    std::vector<Digest> digests;
    for (const std::string& name : objects) digests.push_back(digest_of(name));
    const auto record = put_condemned(*repository_, std::move(digests));
    ASSERT_TRUE(record.ok());
    ASSERT_TRUE(put_waits(*repository_, *record).ok());
  }
  // The next prune calls `action` before the nth of these operations on objects whose names begin so.
  void before(std::string operation, std::string key, int nth,
              std::function<std::optional<Error>(std::string_view)> action) {
    auto left = std::make_shared<int>(nth);
    const auto hook =
        std::make_shared<test::StoreHook>([=](std::string_view called, std::string_view name) -> std::optional<Error> {
          if (called != operation || !name.starts_with(key) || --*left != 0) return std::nullopt;
          return action(name);
        });
    repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_, &store_clock_), hook));
  }
  // A record that another prune puts meanwhile.
  std::optional<Error> put_record_of(std::string_view pack) {
    const std::string name = condemned_name(Uuid());
    put(ObjectKind::kCondemned, name, encode_condemned({1, {digest_of(std::string(pack))}}));
    return std::nullopt;
  }
};

TEST_F(PruneRulesTest, ACopyThatIsDamagedDoesNotCount) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  const auto packs = names("packs/");
  const std::string copy = copy_blocks(packs);
  condemn(packs);
  Bytes bytes = *objects_->find(copy)->bytes;
  bytes[500] ^= 1;  // in its first block
  objects_->damage(copy, std::move(bytes));
  EXPECT_GT(prune_with(at_once()).moved.blocks, 0U);
}

TEST_F(PruneRulesTest, ACopyOfAnotherSizeDoesNotCount) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  const auto packs = names("packs/");
  const std::string copy = copy_blocks(packs);
  condemn(packs);
  Bytes bytes = *objects_->find(copy)->bytes;
  bytes.pop_back();
  objects_->damage(copy, std::move(bytes));
  EXPECT_GT(prune_with(at_once()).moved.blocks, 0U);
  objects_->erase(copy);
  expect_restores(pushed);
}

TEST_F(PruneRulesTest, ACopyOfWhichOnlyTheIndexSaysSoDoesNotCount) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  const auto packs = names("packs/");
  const Pushed other = push_stream(random_stream(2, kStreamBytes));
  std::size_t blocks_in_packs = 0;
  IndexWriter writer(*repository_, repository_->store());
  for (const std::string& name : packs) {
    const auto bytes = objects_->find(name)->bytes->size();
    const auto table = read_pack_table(*repository_, repository_->store(), digest_of(name), bytes);
    ASSERT_TRUE(table.ok());
    blocks_in_packs += table->blocks.size();
    std::vector<TableBlock> blocks = table->blocks;
    std::erase_if(blocks, [](const TableBlock& block) { return block.chunks.empty(); });  // the recipe is read
    for (const std::string& liar : names("packs/")) {
      if (packs.contains(liar)) continue;
      ASSERT_TRUE(writer.add({{digest_of(liar), objects_->find(liar)->bytes->size(), table->salt}, blocks}).ok());
    }
  }
  ASSERT_TRUE(writer.flush().ok());
  condemn(packs);
  EXPECT_EQ(prune_with(at_once()).moved.blocks, blocks_in_packs);
}

TEST_F(PruneRulesTest, ACopyThatIsCondemnedMeanwhileDoesNotCount) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  const auto packs = names("packs/");
  const std::string copy = copy_blocks(packs);
  condemn(packs);
  // For the records themselves, the live data, the verdict, and once more after it has read the copies.
  before("list", "condemned/", 4, [&](std::string_view) { return put_record_of(copy); });
  EXPECT_EQ(prune_with(at_once()).deleted.packs, 0U);
  for (const std::string& pack : packs) EXPECT_TRUE(names("packs/").contains(pack));
  expect_restores(pushed);
}

TEST_F(PruneRulesTest, AMovedPackThatIsCondemnedMeanwhileDoesNotCount) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  const auto packs = names("packs/");
  condemn(packs);
  before("put", "packs/", 1, [&](std::string_view name) { return put_record_of(name); });
  const PruneReport report = prune_with(at_once());
  EXPECT_GT(report.moved.blocks, 0U);
  EXPECT_EQ(report.deleted.packs, 0U);
  expect_restores(pushed);
}

TEST_F(PruneRulesTest, TwoCondemnedPacksWithOneBlockMoveItOnce) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  auto packs = names("packs/");
  packs.insert(copy_blocks(packs));
  condemn(packs);
  EXPECT_EQ(prune_with(at_once()).deleted.packs, packs.size());
  expect_restores(pushed);
}

TEST_F(PruneRulesTest, AnIndexObjectThatIsTheOnlyListOfAPackStays) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  const auto index = names("index/");
  condemn(index);
  EXPECT_EQ(prune_with(at_once()).deleted.index_objects, 0U);
  EXPECT_TRUE(names("index/").contains(*index.begin()));
  EXPECT_THAT(names("index/"), SizeIs(2)) << "its pack is listed anew";
  prune_with(at_once());
  EXPECT_FALSE(names("index/").contains(*index.begin()));
  EXPECT_THAT(names("waits/"), IsEmpty());
  expect_restores(pushed);
}

TEST_F(PruneRulesTest, AnIndexObjectOfAPackThatIsYoungerThanItsListIsNotCondemned) {
  remove(push_stream(random_stream(1, kStreamBytes)));
  const Pushed kept = push_stream(random_stream(2, kStreamBytes));
  prune_with(at_once());
  const auto before_push = names("index/");
  std::set<std::string> young;
  Secret secret{SlotKind::kRawKey, SecretBytes(32)};
  secret.bytes.mutable_view()[0] = 1;
  // For what is there, the live data, and the verdict on index objects, which is after the lists of packs and
  // manifests.
  before("list", "index/", 3, [&](std::string_view) -> std::optional<Error> {
    auto opened = Repository::open(make_memory_store(objects_, &store_clock_), clock_, secret, best_crypto_backend());
    auto pruned = std::exchange(repository_, *std::move(opened));
    push_stream(random_stream(3, kStreamBytes));
    repository_ = std::move(pruned);
    for (const std::string& name : names("index/"))
      if (!before_push.contains(name)) young.insert(name);
    return std::nullopt;
  });
  EXPECT_GT(prune_with(at_once()).deleted.index_objects, 0U);
  ASSERT_THAT(young, SizeIs(1));
  const auto records = load_deletion_records(*repository_);
  ASSERT_TRUE(records.ok());
  for (const DeletionRecord& record : *records)
    EXPECT_THAT(record.condemned, ::testing::Not(::testing::Contains(digest_of(*young.begin()))));
}

TEST_F(PruneRulesTest, AnIndexObjectThatNamesALostBlockStays) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const auto index = names("index/");
  const std::string pack = *names("packs/").begin();
  push_stream(first.stream, "t");  // only its recipe is new
  remove(first);
  objects_->erase(pack);
  condemn(index);
  EXPECT_EQ(prune_with(at_once()).deleted.index_objects, 0U);
  EXPECT_TRUE(names("index/").contains(*index.begin())) << "its chunks are needed to rebuild the blocks";
}

TEST_F(PruneRulesTest, AYoungPackIsNotCondemned) {
  remove(push_stream(random_stream(1, kStreamBytes)));
  PruneOptions options = at_once();
  options.age_min = 48h;
  const PruneReport report = prune_with(options);
  EXPECT_EQ(report.condemned.packs, 0U);
  EXPECT_GT(report.chosen.young_bytes, kStreamBytes);
}

TEST_F(PruneRulesTest, APackThatTheStoreBillsAnywayIsLeftUnlessExclusive) {
  remove(push_stream(random_stream(1, kStreamBytes)));
  repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_, &store_clock_),
                                                               std::make_shared<test::StoreHook>(),
                                                               [](ObjectInfo& info) { info.billed_days = 30; }));
  store_clock_.advance(29 * 24h);
  const PruneReport report = prune_with(at_once());
  EXPECT_EQ(report.condemned.packs, 0U);
  EXPECT_GT(report.chosen.billed_bytes, kStreamBytes);
  PruneOptions exclusive = at_once();
  exclusive.exclusive = exclusive.dry_run = true;
  EXPECT_GT(prune_with(exclusive).chosen.dead_bytes, kStreamBytes);
  store_clock_.advance(2 * 24h);
  EXPECT_GT(prune_with(at_once()).condemned.packs, 0U);
}

TEST_F(PruneRulesTest, ASilentSessionForWhichNoDeletionWaitsIsFencedBeforeItsObjectsGo) {
  push_stream(random_stream(1, kStreamBytes));
  const Uuid session = put_session("s", 0x55);
  store_clock_.advance(73h);
  const std::string manifest = manifest_name(repository_->keys().stream_tag("s"), session);
  EXPECT_THAT(prune_with(at_once()).fenced, ::testing::ElementsAre(manifest));
  EXPECT_TRUE(names("manifests/").contains(manifest));
  EXPECT_THAT(names("sessions/"), SizeIs(1)) << "a later run removes it";
  prune_with(at_once());
  EXPECT_THAT(names("sessions/"), IsEmpty());
}

TEST_F(PruneRulesTest, WhatIsHeldStays) {
  const Pushed held = push_stream(random_stream(1, kStreamBytes));
  HoldRequest request;
  request.manifest_name = held.name;
  request.manifest_digest = document_identity(*objects_->find(held.name)->bytes);
  ASSERT_TRUE(put_hold(*repository_, request).ok());
  remove(held);  // by a forget that had listed holds before
  for (int i = 0; i < 3; ++i) prune_with(at_once());
  EXPECT_TRUE(names("manifests/").contains(held.name));
  expect_restores(held);
}

TEST_F(PruneRulesTest, AManifestWithinTheUndoTimeStays) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  remove(pushed);
  PruneOptions options = at_once();
  options.undo = 1h;
  prune_with(options);
  EXPECT_TRUE(names("manifests/").contains(pushed.name));
}

TEST_F(PruneRulesTest, AMarkIsNotTakenUpBesideItsManifest) {
  remove(push_stream(random_stream(1, kStreamBytes)));
  PruneOptions options = at_once();
  options.retired_together_min = 1;
  store_clock_.advance(1h);
  const auto marks = names("removed/");
  const auto hook = std::make_shared<test::StoreHook>([](std::string_view operation, std::string_view key) {
    const bool locked = operation == "remove" && key.starts_with("manifests/");
    return locked ? std::optional(Error(ErrorCode::kDenied, "locked")) : std::nullopt;
  });
  repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_, &store_clock_), hook));
  prune_with(options);
  EXPECT_EQ(names("removed/"), marks);
  EXPECT_THAT(names("retired/"), IsEmpty());
}

TEST_F(PruneRulesTest, AMarkStaysUntilTheObjectThatTakesItUpIsDurable) {
  remove(push_stream(random_stream(1, kStreamBytes)));
  PruneOptions options = at_once();
  options.retired_together_min = 1;
  store_clock_.advance(1h);
  const auto marks = names("removed/");
  before("put", "retired/", 1, [](std::string_view) { return Error(ErrorCode::kNoSpace, "full"); });
  EXPECT_FALSE(try_prune(options).ok());
  EXPECT_EQ(names("removed/"), marks);
}

}  // namespace
}  // namespace drs
