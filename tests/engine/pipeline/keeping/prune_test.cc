#include "engine/pipeline/keeping/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

using PruneTest = KeepingTest;

constexpr std::size_t kStreamBytes = 3 << 20;

TEST_F(PruneTest, OfARepositoryWithoutDeadDataCondemnsNothing) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  const auto packs = names("packs/");
  const PruneReport report = prune_with(at_once());
  EXPECT_EQ(report.condemned.packs, 0U);
  EXPECT_EQ(report.space.dead_bytes / (kStreamBytes / 20), 0U);
  EXPECT_THAT(names("condemned/"), IsEmpty());
  EXPECT_EQ(names("packs/"), packs);
  EXPECT_THAT(names("doctor/"), IsEmpty());
  expect_restores(pushed);
}

TEST_F(PruneTest, DeletesWhatNoSnapshotNeedsInTheSecondRun) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const auto dead = names("packs/");
  const Pushed second = push_stream(random_stream(2, kStreamBytes));
  remove(first);
  const PruneReport condemned = prune_with(at_once());
  EXPECT_EQ(condemned.condemned.packs, dead.size());
  EXPECT_EQ(condemned.deleted.packs, 0U);
  EXPECT_EQ(names("condemned/").size(), 1U);
  EXPECT_EQ(names("waits/").size(), 1U);
  for (const std::string& pack : dead) EXPECT_TRUE(names("packs/").contains(pack));
  EXPECT_FALSE(names("manifests/").contains(first.name));

  const PruneReport deleted = prune_with(at_once());
  EXPECT_EQ(deleted.deleted.packs, dead.size());
  EXPECT_GT(deleted.deleted.packs_bytes, kStreamBytes);
  EXPECT_THAT(deleted.problems, IsEmpty());
  for (const std::string& pack : dead) EXPECT_FALSE(names("packs/").contains(pack));
  EXPECT_EQ(names("condemned/").size(), 1U) << "for ever";
  EXPECT_THAT(names("waits/"), IsEmpty());
  expect_restores(second);
  // Nothing is left for a third run: the index object of the dead packs went with them.
  const auto index = names("index/");
  const PruneReport third = prune_with(at_once());
  EXPECT_EQ(third.condemned.packs + third.condemned.index_objects + third.deleted.index_objects, 0U);
  EXPECT_EQ(names("index/"), index);
  EXPECT_EQ(names("condemned/").size(), 1U);
}

TEST_F(PruneTest, KeepsYoungPacksAndGraceAndUndoTimes) {
  const Pushed pushed = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  const auto packs = names("packs/");
  remove(pushed);
  const PruneOptions options;
  EXPECT_EQ(prune_with(options).undo_snapshots, 1U);
  store_clock_.advance(49h);
  EXPECT_EQ(prune_with(options).condemned.packs, 0U) << "within the undo time";
  expect_restores(pushed);
  store_clock_.advance(120h);
  const PruneReport condemned = prune_with(options);
  EXPECT_GT(condemned.condemned.packs, 0U);
  ASSERT_EQ(names("condemned/").size(), 1U);
  store_clock_.advance(19h);
  const PruneReport waits = prune_with(options);
  EXPECT_EQ(waits.deleted.packs, 0U);
  ASSERT_EQ(waits.waiting.size(), 1U);
  EXPECT_GT(waits.waiting.front().until_ns, waits.now_ns);
  EXPECT_EQ(names("packs/"), packs);
  store_clock_.advance(2h);
  EXPECT_EQ(prune_with(options).deleted.packs, condemned.condemned.packs);
}

TEST_F(PruneTest, CondemnsNothingNewWhileARecordIsYoung) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const Pushed second = push_stream(random_stream(2, kStreamBytes));
  push_stream(random_stream(3, kStreamBytes));
  PruneOptions options = at_once();
  options.grace = 20h;
  remove(first);
  prune_with(options);
  remove(second);
  const PruneReport later = prune_with(options);
  EXPECT_TRUE(later.condemned_recently);
  EXPECT_EQ(later.condemned.packs, 0U);
  EXPECT_GT(later.chosen.dead.size(), 0U) << "what it would condemn";
  EXPECT_EQ(names("condemned/").size(), 1U);
  store_clock_.advance(21h);
  EXPECT_GT(prune_with(options).condemned.packs, 0U);
}

TEST_F(PruneTest, MovesLiveBlocksOutOfMostlyDeadPacks) {
  // The second stream shares a part of the first, whose packs are mostly dead then.
  const Bytes whole = random_stream(1, kStreamBytes);
  const Pushed first = push_stream(whole);
  Bytes part(whole.begin(), whole.begin() + kStreamBytes / 3);
  const Pushed second = push_stream(std::move(part), "t");
  remove(first);
  const auto packs = names("packs/");
  const PruneReport moved = prune_with(at_once());
  EXPECT_GT(moved.moved.blocks, 0U);
  EXPECT_GT(moved.condemned.packs, 0U);
  expect_restores(second);
  const PruneReport deleted = prune_with(at_once());
  EXPECT_EQ(deleted.deleted.packs, moved.condemned.packs);
  EXPECT_GT(deleted.deleted.index_objects, 0U);
  EXPECT_EQ(deleted.moved.blocks, 0U);
  expect_restores(second);
  EXPECT_LT(bytes_of("packs/"), kStreamBytes / 3 * 115 / 100 + 2 * (1 << 20));
  // The same stream is deduplicated against the moved blocks.
  const auto again = push_bytes(second.stream);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->manifest.new_bytes, 0U);
}

TEST_F(PruneTest, WaitsForASessionThatMayUseWhatIsCondemned) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  const Uuid running = put_session("s", 0x55);
  prune_with(at_once());
  const PruneReport waits = prune_with(at_once());
  EXPECT_EQ(waits.deleted.packs, 0U);
  ASSERT_EQ(waits.waiting.size(), 1U);
  ASSERT_EQ(waits.waiting.front().awaited.size(), 1U);
  EXPECT_EQ(waits.waiting.front().awaited.front().session, running);
  EXPECT_EQ(waits.waiting.front().awaited.front().stream, "s");
  EXPECT_EQ(waits.waiting.front().awaited.front().host, "db1");
  EXPECT_THAT(waits.fenced, IsEmpty());
  // Its process removes its object, since it knows the outcome.
  for (const std::string& session : names("sessions/")) objects_->erase(session);
  EXPECT_GT(prune_with(at_once()).deleted.packs, 0U);
}

// Where lists lag, the waits may lack a session that was there, and the session may have missed the record.
TEST_F(PruneTest, WaitsForASessionThatBeganUpToAnHourAfterTheRecord) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  prune_with(at_once());
  store_clock_.advance(59min);
  const Uuid late = put_session("s", 0x55);
  const PruneReport waits = prune_with(at_once());
  EXPECT_EQ(waits.deleted.packs, 0U);
  ASSERT_EQ(waits.waiting.size(), 1U);
  ASSERT_EQ(waits.waiting.front().awaited.size(), 1U);
  EXPECT_EQ(waits.waiting.front().awaited.front().session, late);
  for (const std::string& session : names("sessions/")) objects_->erase(session);
  store_clock_.advance(2min);
  put_session("s", 0x66);
  EXPECT_GT(prune_with(at_once()).deleted.packs, 0U) << "that one has read the record";
}

TEST_F(PruneTest, FencesASessionThatIsSilentForTooLong) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  const Uuid running = put_session("s", 0x55);
  const std::string manifest = manifest_name(repository_->keys().stream_tag("s"), running);
  prune_with(at_once());
  store_clock_.advance(71h);
  EXPECT_EQ(prune_with(at_once()).deleted.packs, 0U);
  EXPECT_FALSE(names("manifests/").contains(manifest));
  store_clock_.advance(2h);
  const PruneReport fenced = prune_with(at_once());
  EXPECT_THAT(fenced.fenced, ::testing::ElementsAre(manifest));
  EXPECT_GT(fenced.deleted.packs, 0U);
  EXPECT_TRUE(names("manifests/").contains(manifest));
  // Behind its fence the session's object goes, and the fence is no damage.
  prune_with(at_once());
  EXPECT_THAT(names("sessions/"), IsEmpty());
  const auto catalog = load_snapshots(*repository_);
  ASSERT_TRUE(catalog.ok());
  EXPECT_THAT(catalog->broken, IsEmpty());
}

// The push found a pack that a prune condemned after that, and commits while the prune waits.
TEST_F(PruneTest, KeepsBlocksThatASnapshotNeedsWhichWasCommittedAfterTheyWereCondemned) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const Pushed other = push_stream(random_stream(2, kStreamBytes));
  remove(first);
  const Uuid running = put_session("s", 0x55);
  ASSERT_GT(prune_with(at_once()).condemned.packs, 0U);
  // Its manifest names the condemned blocks.
  Manifest late = first.manifest;
  late.session = running;
  late.sequence += 10;
  insert(late);
  const PruneReport report = prune_with(at_once());
  EXPECT_GT(report.moved.blocks, 0U) << "moved out of the condemned packs";
  EXPECT_GT(report.deleted.packs, 0U);
  const auto back = read_back(late);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_TRUE(*back == first.stream);
  expect_restores(other);
}

// Two prunes at once condemn the same packs.
TEST_F(PruneTest, MovesABlockOnceThatTwoRecordsCondemn) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  const Uuid running = put_session("s", 0x55);
  const PruneReport condemned = prune_with(at_once());
  const auto records = load_deletion_records(*repository_);
  ASSERT_TRUE(records.ok());
  const auto again = put_condemned(*repository_, records->front().condemned);
  ASSERT_TRUE(again.ok());
  ASSERT_TRUE(put_waits(*repository_, *again).ok());
  Manifest late = first.manifest;
  late.session = running;
  late.sequence += 10;
  insert(late);
  const PruneReport report = prune_with(at_once());
  EXPECT_EQ(report.deleted.packs, condemned.condemned.packs);
  const auto back = read_back(late);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_TRUE(*back == first.stream);
}

// Two packs hold the same blocks, as after a prune that died between a move and its record, and each holds another one.
// Which of the two the index names first is chance; so several.
TEST_F(PruneTest, DoesNotMoveWhatAnotherPackHolds) {
  constexpr std::uint32_t kStreams = 8;
  constexpr std::size_t kBytes = 200'000;
  std::vector<Pushed> pushed;
  for (std::uint32_t i = 0; i < kStreams; ++i) {
    pushed.push_back(push_stream(random_stream(i, kBytes)));
    const auto packs = names("packs/");
    pushed.push_back(push_stream(Bytes(pushed.back().stream), "t"));  // only its recipe is new
    auto mover = BlockMover::make(*repository_, repository_->store(), {});
    ASSERT_TRUE(mover.ok());
    for (const ObjectInfo& info : objects_->list("packs/")) {
      const Digest pack = parse_name(info.key)->digest;
      const auto table = read_pack_table(*repository_, repository_->store(), pack, info.size_bytes);
      ASSERT_TRUE(table.ok());
      for (const TableBlock& block : table->blocks) {
        const bool is_recipe = block.chunks.empty();
        const bool is_of_this = block.record.id.session == pushed[2 * i].manifest.session;
        if (is_recipe ? packs.contains(info.key) : !is_of_this) continue;
        ASSERT_TRUE(mover->move({pack, *table, block}).ok());
      }
    }
    ASSERT_TRUE(mover->flush().ok());
  }
  for (int i = 0; i < 3; ++i) prune_with(at_once());
  const PruneReport last = prune_with(at_once());
  EXPECT_EQ(last.condemned.packs, 0U);
  EXPECT_LT(bytes_of("packs/"), kStreams * kBytes * 115 / 100);
  for (const Pushed& one : pushed) expect_restores(one);
}

TEST_F(PruneTest, ThatDiedBeforeItsWaitsIsContinued) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  prune_with(at_once());
  for (const std::string& waits : names("waits/")) objects_->erase(waits);
  EXPECT_EQ(prune_with(at_once()).deleted.packs, 0U) << "lists the sessions first";
  EXPECT_EQ(names("waits/").size(), 1U);
  EXPECT_GT(prune_with(at_once()).deleted.packs, 0U);
}

TEST_F(PruneTest, DeletesNothingWhileAManifestCannotBeRead) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const Pushed second = push_stream(random_stream(2, kStreamBytes));
  remove(first);
  prune_with(at_once());
  const auto packs = names("packs/");
  Bytes bytes = *objects_->find(second.name)->bytes;
  Bytes flipped = bytes;
  flipped[200] ^= 1;
  objects_->damage(second.name, std::move(flipped));
  const PruneReport report = prune_with(at_once());
  EXPECT_EQ(report.deleted.packs, 0U);
  ASSERT_FALSE(report.problems.empty());
  EXPECT_THAT(report.problems.front(), HasSubstr(second.name));
  EXPECT_EQ(names("packs/"), packs);
  objects_->damage(second.name, std::move(bytes));
  EXPECT_GT(prune_with(at_once()).deleted.packs, 0U);
  expect_restores(second);
}

TEST_F(PruneTest, DeletesNothingWhileSomebodyRemembersASnapshotThatIsGone) {
  push_stream(random_stream(1, kStreamBytes));
  const Pushed newest = push_stream(random_stream(2, kStreamBytes));
  const auto packs = names("packs/");
  objects_->erase(newest.name);  // without a mark, and no later manifest names it
  PruneOptions options = at_once();
  options.remembered = [&](const SnapshotCatalog& catalog) {
    return std::vector<std::string>(catalog.live.size() == 1 ? 1 : 0, "the newest snapshot is gone");
  };
  for (int run = 0; run < 2; ++run) {
    const PruneReport report = prune_with(options);
    EXPECT_THAT(report.problems, ::testing::ElementsAre("the newest snapshot is gone"));
    EXPECT_EQ(report.condemned.packs + report.deleted.packs, 0U);
  }
  EXPECT_EQ(names("packs/"), packs);
  options.remembered = {};
  EXPECT_GT(prune_with(options).condemned.packs, 0U);
}

TEST_F(PruneTest, DeletesNothingWhileARecipeCannotBeRead) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  remove(first);
  prune_with(at_once());
  const auto dead = names("packs/");
  const Pushed second = push_stream(random_stream(2, kStreamBytes));
  for (const std::string& pack : names("packs/"))
    if (!dead.contains(pack)) objects_->erase(pack);
  const PruneReport report = prune_with(at_once());
  EXPECT_EQ(report.deleted.packs, 0U);
  ASSERT_FALSE(report.problems.empty());
  EXPECT_THAT(report.problems.front(), HasSubstr("recipe"));
  EXPECT_EQ(names("packs/"), dead);
}

TEST_F(PruneTest, WithAnUnreadableRecordDeletesOnlyWhollyDeadPacks) {
  const Bytes whole = random_stream(1, kStreamBytes);
  const Pushed first = push_stream(whole);
  const auto shared = names("packs/");
  const Pushed dead = push_stream(random_stream(2, kStreamBytes));
  const Pushed second = push_stream(Bytes(whole.begin(), whole.begin() + kStreamBytes / 3), "t");
  remove(first);
  remove(dead);
  ASSERT_GT(prune_with(at_once()).condemned.packs, shared.size());
  objects_->insert(condemned_name(Uuid()), Bytes(100), store_clock_.wall_ns());
  const PruneReport report = prune_with(at_once());
  EXPECT_GT(report.deleted.packs, 0U);
  EXPECT_THAT(report.problems, ::testing::Contains(HasSubstr(condemned_name(Uuid()))));
  bool one_stays = false;
  for (const std::string& pack : shared) one_stays = one_stays || names("packs/").contains(pack);
  EXPECT_TRUE(one_stays) << "the packs with blocks that are live";
  expect_restores(second);
}

TEST_F(PruneTest, WhoseWaitsCannotBeReadCondemnsAnew) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  prune_with(at_once());
  const std::string waits = *names("waits/").begin();
  objects_->damage(waits, Bytes(50, 1));
  const PruneReport report = prune_with(at_once());
  EXPECT_EQ(report.deleted.packs, 0U);
  EXPECT_THAT(report.problems, ::testing::ElementsAre(HasSubstr(waits)));
  EXPECT_EQ(names("condemned/").size(), 2U);
  EXPECT_GT(prune_with(at_once()).deleted.packs, 0U);
  const PruneReport last = prune_with(at_once());
  EXPECT_THAT(last.problems, IsEmpty());
  EXPECT_THAT(names("waits/"), IsEmpty());
}

TEST_F(PruneTest, ExclusiveGivesSpaceBackAtOnceAndFencesEverySession) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const Pushed second = push_stream(random_stream(2, kStreamBytes));
  remove(first);
  const Uuid running = put_session("s", 0x55);
  PruneOptions options;
  options.exclusive = true;
  options.undo = {};
  const auto refused = try_prune(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBusy);
  EXPECT_THAT(refused.error().message, HasSubstr("db1"));
  options.force = true;
  const PruneReport report = prune_with(options);
  EXPECT_GT(report.deleted.packs, 0U);
  EXPECT_EQ(report.fenced.size(), 1U);
  EXPECT_TRUE(names("manifests/").contains(manifest_name(repository_->keys().stream_tag("s"), running)));
  expect_restores(second);
}

TEST_F(PruneTest, ExclusiveKeepsTheUndoTime) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  PruneOptions options;
  options.exclusive = true;
  EXPECT_EQ(prune_with(options).deleted.packs, 0U);
  expect_restores(first);
}

TEST_F(PruneTest, WhereOneWriterIsAllowedNeedsExclusiveAndNoSession) {
  PruneOptions options;
  options.single_writer = true;
  EXPECT_EQ(try_prune(options).error().code, ErrorCode::kUsage);
  options.exclusive = options.force = true;
  EXPECT_TRUE(try_prune(options).ok());
  put_session("s", 0x55);
  store_clock_.advance(3h);
  EXPECT_EQ(try_prune(options).error().code, ErrorCode::kBusy);
}

TEST_F(PruneTest, DryRunChangesNothing) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  put_session("dead", 0x66);
  store_clock_.advance(100h);
  const auto before = names("");
  PruneOptions options = at_once();
  options.dry_run = true;
  const PruneReport report = prune_with(options);
  EXPECT_GT(report.chosen.dead.size(), 0U);
  EXPECT_GT(report.chosen.dead_bytes, kStreamBytes);
  EXPECT_EQ(names(""), before);
}

TEST_F(PruneTest, RemovesDamageMarksOfDeletedPacks) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const std::string pack = *names("packs/").begin();
  push_stream(random_stream(2, kStreamBytes));
  ASSERT_TRUE(mark_damaged(repository_->store(), store_clock_, parse_name(pack)->digest, {.found_by = "verify"}).ok());
  remove(first);
  prune_with(at_once());
  EXPECT_EQ(names("damaged/").size(), 1U);
  prune_with(at_once());
  EXPECT_THAT(names("damaged/"), IsEmpty());
}

TEST_F(PruneTest, CountsWhatTheStoreLocks) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  prune_with(at_once());
  const auto packs = names("packs/");
  const auto hook = std::make_shared<test::StoreHook>([](std::string_view operation, std::string_view key) {
    const bool locked = operation == "remove" && key.starts_with("packs/");
    return locked ? std::optional(Error(ErrorCode::kDenied, "locked")) : std::nullopt;
  });
  repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_, &store_clock_), hook));
  const PruneReport report = prune_with(at_once());
  EXPECT_EQ(report.deleted.packs, 0U);
  EXPECT_GT(report.deleted.locked, 0U);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(names("packs/"), packs);
  repository_->replace_store(make_memory_store(objects_, &store_clock_));
  EXPECT_GT(prune_with(at_once()).deleted.packs, 0U);
}

TEST_F(PruneTest, TakesUpOldMarksAndFencesIntoOneObject) {
  PruneOptions options = at_once();
  options.retired_together_min = 3;
  const Pushed kept = push_stream(random_stream(9, 100'000));
  for (std::uint32_t i = 0; i < 2; ++i) remove(push_stream(random_stream(i, 100'000)));
  put_session("s", 0x55);
  store_clock_.advance(73h);
  prune_with(options);  // deletes the manifests, and fences the session
  prune_with(options);
  EXPECT_THAT(names("retired/"), ::testing::SizeIs(1));
  EXPECT_THAT(names("removed/"), IsEmpty());
  EXPECT_EQ(names("manifests/"), (std::set<std::string>{kept.name}));
  // A second time both become one.
  for (std::uint32_t i = 3; i < 6; ++i) remove(push_stream(random_stream(i, 100'000)));
  const std::string before = *names("retired/").begin();
  prune_with(options);
  prune_with(options);
  ASSERT_THAT(names("retired/"), ::testing::SizeIs(1));
  EXPECT_NE(*names("retired/").begin(), before);
  const auto catalog = load_snapshots(*repository_);
  ASSERT_TRUE(catalog.ok());
  EXPECT_EQ(catalog->removed.size(), 5U);
  EXPECT_EQ(catalog->live.size(), 1U);
  EXPECT_THAT(catalog->missing, IsEmpty());
}

TEST_F(PruneTest, MergesSmallPacksWhenTheyFillOne) {
  PruneOptions options = at_once();
  options.pack_bytes_target = 1 << 20;
  std::vector<Pushed> pushed;
  for (std::uint32_t i = 0; i < 12; ++i) pushed.push_back(push_stream(random_stream(i, 120'000)));
  ASSERT_GE(names("packs/").size(), 12U);
  prune_with(options);
  prune_with(options);
  EXPECT_LE(names("packs/").size(), 3U);
  for (const Pushed& one : pushed) expect_restores(one);
}

}  // namespace
}  // namespace drs
