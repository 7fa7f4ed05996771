// Prunes of repositories with damaged, forged, odd or locked objects: none may stop a prune for good, or make it work
// without end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/pipeline/keeping/prune.h"
#include "engine/repository/index_ends.h"
#include "engine/repository/snapshots.h"
#include "tests/engine/pipeline/keeping/keeping_fixture.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

using namespace std::chrono_literals;
using test::KeepingTest;
using test::random_stream;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kStreamBytes = 3 << 20;

// A store whose objects last only once they are secured, as a local directory.
class SecuringStore final : public test::HookStore {
 public:
  SecuringStore(std::unique_ptr<ObjectStore> inner, std::shared_ptr<test::StoreHook> hook, std::set<ObjectKey>& secured)
      : HookStore(std::move(inner), std::move(hook)), secured_(secured) {}
  Result<void> secure(const std::vector<ObjectKey>& keys) override {
    secured_.insert(keys.begin(), keys.end());
    return {};
  }
  [[nodiscard]] StoreTraits traits() const override {
    StoreTraits traits = inner().traits();
    traits.secures = true;
    return traits;
  }

 private:
  std::set<ObjectKey>& secured_;
};

class PruneTroubleTest : public KeepingTest {
 protected:
  void deny_removal_of(std::vector<std::string> prefixes) {
    const auto hook = std::make_shared<test::StoreHook>(
        [prefixes = std::move(prefixes)](std::string_view operation, std::string_view key) -> std::optional<Error> {
          const auto is_of = [&](const std::string& prefix) { return key.starts_with(prefix); };
          if (operation != "remove" || std::ranges::none_of(prefixes, is_of)) return std::nullopt;
          return Error(ErrorCode::kDenied, "locked");
        });
    repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_, &store_clock_), hook));
  }
  void put_mark(Byte session_seed, const std::string& stream, std::uint64_t sequence) {
    Uuid session;
    session.data.fill(session_seed);
    const std::string name = manifest_name(repository_->keys().stream_tag("s"), session);
    Digest digest;
    digest.data.fill(session_seed);
    const RemovedMark mark{.manifest_name = name,
                           .manifest_digest = digest,
                           .stream = stream,
                           .sequence = sequence,
                           .removed_ns = store_clock_.wall_ns(),
                           .reason = "test"};
    put(ObjectKind::kRemoved, removed_name(name), encode_removed(mark));
  }
};

TEST_F(PruneTroubleTest, ACondemnedIndexObjectWhoseBlocksCannotBeReadStopsNothingElse) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  const Pushed third = push_stream(random_stream(3, kStreamBytes));
  const Pushed last = push_stream(random_stream(4, kStreamBytes));
  remove(first);
  ASSERT_GT(prune_with(at_once()).condemned.index_objects, 0U);
  const auto records = load_deletion_records(*repository_);
  ASSERT_TRUE(records.ok());
  std::string damaged;
  std::size_t place = 0;
  const auto find = [&](const ObjectInfo& info, Result<IndexEnds> ends) -> Result<void> {
    if (!std::ranges::binary_search(records->front().condemned, parse_name(info.key)->digest)) return {};
    damaged = info.key;
    place = ends->summary.directory_offset_bytes;
    return {};
  };
  ASSERT_TRUE(read_index_ends(*repository_, repository_->store(), objects_->list("index/"), find).ok());
  ASSERT_FALSE(damaged.empty());
  Bytes bytes = *objects_->find(damaged)->bytes;
  bytes[place] ^= 1;
  objects_->damage(damaged, std::move(bytes));
  remove(third);
  const PruneReport report = prune_with(at_once());
  EXPECT_GT(report.deleted.packs, 0U);
  EXPECT_THAT(report.problems, Contains(HasSubstr(damaged)));
  EXPECT_GT(report.condemned.packs, 0U) << "it goes on";
  expect_restores(last);
}

// Anyone who may write a damage mark keeps a pack from being moved.
TEST_F(PruneTroubleTest, DeadDataThatCannotBeMovedDoesNotMakeItMoveEverythingElse) {
  const Bytes whole = random_stream(1, kStreamBytes);
  const Pushed first = push_stream(whole);
  const auto marked = names("packs/");
  const Pushed part = push_stream(Bytes(whole.begin(), whole.begin() + kStreamBytes / 6), "t");
  const Pushed other = push_stream(random_stream(2, kStreamBytes), "u");
  remove(first);
  for (const std::string& pack : marked)
    ASSERT_TRUE(
        mark_damaged(repository_->store(), store_clock_, parse_name(pack)->digest, {.found_by = "anyone"}).ok());
  const PruneReport report = prune_with(at_once());
  EXPECT_GT(report.chosen.left_bytes, kStreamBytes / 10);
  EXPECT_EQ(report.moved.blocks, 0U);
  expect_restores(part);
  expect_restores(other);
}

TEST_F(PruneTroubleTest, DeadDataThatIsTooYoungDoesNotMakeItMoveEverythingElse) {
  const Pushed old = push_stream(random_stream(1, kStreamBytes));
  store_clock_.advance(100h);
  const Bytes whole = random_stream(2, kStreamBytes);
  const Pushed first = push_stream(whole);
  push_stream(Bytes(whole.begin(), whole.begin() + kStreamBytes / 6), "t");
  remove(first);
  PruneOptions options = at_once();
  options.age_min = 48h;
  const PruneReport report = prune_with(options);
  EXPECT_GT(report.chosen.young_bytes, kStreamBytes / 10);
  EXPECT_EQ(report.moved.blocks, 0U);
  expect_restores(old);
}

// The envelope and the table of a pack are most of it where blocks are tiny: that is no dead data.
TEST_F(PruneTroubleTest, ARepositoryOfTinyStreamsIsNotMovedAgainAndAgain) {
  std::vector<Pushed> pushed;
  for (std::uint32_t i = 0; i < 12; ++i) pushed.push_back(push_stream(random_stream(i, 150)));
  const auto packs = names("packs/");
  for (int run = 0; run < 3; ++run) {
    const PruneReport report = prune_with(at_once());
    EXPECT_EQ(report.condemned.packs, 0U) << "run " << run;
    EXPECT_EQ(report.moved.blocks, 0U) << "run " << run;
  }
  EXPECT_EQ(names("packs/"), packs);
  EXPECT_THAT(names("condemned/"), IsEmpty());
}

// Each prune gave up the good copy of what a mark names, and moved it again.
TEST_F(PruneTroubleTest, AMarkedCopyIsNoReasonToGiveUpTheGoodOne) {
  std::vector<Pushed> pushed;
  for (std::uint32_t i = 0; i < 4; ++i) pushed.push_back(push_stream(random_stream(i, kStreamBytes / 4)));
  const auto marked = names("packs/");
  copy_blocks(names("packs/"));
  for (const std::string& pack : marked)
    ASSERT_TRUE(
        mark_damaged(repository_->store(), store_clock_, parse_name(pack)->digest, {.found_by = "anyone"}).ok());
  EXPECT_EQ(prune_with(at_once()).condemned.packs, marked.size()) << "the good ones stay";
  const PruneReport second = prune_with(at_once());
  EXPECT_EQ(second.deleted.packs, marked.size());
  EXPECT_EQ(second.moved.blocks, 0U);
  EXPECT_EQ(prune_with(at_once()).condemned.packs, 0U);
  for (const Pushed& one : pushed) expect_restores(one);
}

TEST_F(PruneTroubleTest, SaysThatTheCopyOfALiveBlockIsDamaged) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  remove(first);
  const Uuid running = put_session("s", 0x55);
  ASSERT_GT(prune_with(at_once()).condemned.packs, 0U);
  Manifest late = first.manifest;
  late.session = running;
  late.sequence += 10;
  insert(late);
  const auto condemned = names("packs/");
  copy_blocks(names("packs/"));
  const auto copies = names("packs/");
  for (const std::string& pack : copies) {
    if (condemned.contains(pack)) continue;
    Bytes bytes = *objects_->find(pack)->bytes;
    bytes[100] ^= 1;
    objects_->damage(pack, std::move(bytes));
  }
  const PruneReport report = prune_with(at_once());
  EXPECT_GT(report.moved.blocks, 0U);
  EXPECT_EQ(report.deleted.packs, condemned.size());
  EXPECT_THAT(report.problems, Contains(HasSubstr("verify --read-data")));
  // As verify does. A pull needs no mark to find the other copy, but this reader does.
  for (const std::string& pack : copies)
    if (!condemned.contains(pack)) {
      ASSERT_TRUE(
          mark_damaged(repository_->store(), store_clock_, parse_name(pack)->digest, {.found_by = "verify"}).ok());
    }
  EXPECT_EQ(*read_back(late), first.stream);
}

TEST_F(PruneTroubleTest, ABudgetBelowAPackMergesNothing) {
  PruneOptions options = at_once();
  options.pack_bytes_target = 1 << 20;
  options.move_bytes_max = 500'000;
  for (std::uint32_t i = 0; i < 12; ++i) push_stream(random_stream(i, 120'000));
  EXPECT_EQ(prune_with(options).moved.blocks, 0U) << "what is left after it would be as many small packs";
}

// Its sizes come from a list, and have no bound.
TEST_F(PruneTroubleTest, APackOfAnotherSizeThanTheIndexSaysCountsAsUnknown) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const auto packs = names("packs/");
  copy_blocks(names("packs/"));
  for (const std::string& pack : packs) {
    Bytes longer = *objects_->find(pack)->bytes;
    longer.resize(longer.size() + 1000);
    objects_->damage(pack, std::move(longer));
  }
  const PruneReport report = prune_with(at_once());
  EXPECT_EQ(report.space.unknown_packs, packs.size());
  EXPECT_GT(report.space.live_bytes, kStreamBytes) << "in the copies";
  EXPECT_EQ(report.condemned.packs, 0U);
  EXPECT_THAT(report.problems, IsEmpty());
  expect_restores(first);
}

TEST_F(PruneTroubleTest, ManyLostRecipesAreProblemsAndNotAnUnsteadyStore) {
  const Pushed pushed = push_stream(random_stream(1, 100'000));
  Manifest lost = pushed.manifest;
  lost.session.data.fill(0x66);
  lost.sequence += 1;
  std::vector<RecipePartRef>& parts = lost.streams.front().parts;
  parts.clear();
  for (std::uint64_t i = 0; i < 1'000; ++i) parts.push_back({{lost.session, i}, i * 100, 100});
  insert(lost);
  const auto report = try_prune(at_once());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->problems.empty());
  EXPECT_EQ(report->deleted.packs, 0U);
}

// Whoever put the copy may have died before its name was durable.
TEST_F(PruneTroubleTest, TheCopyThatJustifiesADeletionIsSecuredBefore) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const auto condemned = names("packs/");
  remove(first);
  const Uuid running = put_session("s", 0x55);
  ASSERT_GT(prune_with(at_once()).condemned.packs, 0U);
  Manifest late = first.manifest;
  late.session = running;
  late.sequence += 10;
  insert(late);
  copy_blocks(names("packs/"));
  std::set<ObjectKey> secured;
  std::set<ObjectKey> secured_before;  // the first pack went
  const auto hook =
      std::make_shared<test::StoreHook>([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
        if (operation == "remove" && key.starts_with("packs/") && secured_before.empty()) secured_before = secured;
        return std::nullopt;
      });
  repository_->replace_store(
      std::make_unique<SecuringStore>(make_memory_store(objects_, &store_clock_), hook, secured));
  const PruneReport report = prune_with(at_once());
  ASSERT_EQ(report.deleted.packs, condemned.size());
  EXPECT_EQ(report.moved.blocks, 0U);
  for (const std::string& pack : names("packs/")) EXPECT_TRUE(secured_before.contains(pack)) << pack;
  EXPECT_EQ(*read_back(late), first.stream);
}

TEST_F(PruneTroubleTest, MarksThatTheStoreLocksAreTakenUpOnce) {
  PruneOptions options = at_once();
  options.retired_together_min = 3;
  push_stream(random_stream(9, 100'000));
  for (Byte i = 1; i <= 3; ++i) put_mark(i, "s", i);
  deny_removal_of({"removed/", "retired/"});
  for (int run = 0; run < 4; ++run) prune_with(options);
  EXPECT_THAT(names("retired/"), SizeIs(1));
  EXPECT_EQ(load().removed.size(), 3U);
  // Once the locks have ended they go.
  deny_removal_of({});
  prune_with(options);
  EXPECT_THAT(names("removed/"), IsEmpty());
  EXPECT_THAT(names("retired/"), SizeIs(1));
  EXPECT_EQ(load().removed.size(), 3U);
}

TEST_F(PruneTroubleTest, SessionObjectsThatTheStoreLocksStopNothing) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const Pushed second = push_stream(random_stream(2, kStreamBytes));
  remove(first);
  SessionRecord ended;
  ended.session = second.manifest.session;
  ended.stream = "s";
  put(ObjectKind::kSession, session_name(repository_->keys().stream_tag("s"), ended.session, 7), encode_session(ended));
  deny_removal_of({"sessions/"});
  EXPECT_GT(prune_with(at_once()).condemned.packs, 0U);
  EXPECT_GT(prune_with(at_once()).deleted.packs, 0U);
  EXPECT_THAT(names("sessions/"), SizeIs(1));
  deny_removal_of({});
  EXPECT_EQ(prune_with(at_once()).session_objects, 1U);
}

TEST_F(PruneTroubleTest, SaysThatASilentSessionCannotBeFenced) {
  push_stream(random_stream(1, 50'000));
  Uuid session;
  session.data.fill(0x77);
  const std::string name = session_name(repository_->keys().stream_tag("s"), session, 0);
  ASSERT_TRUE(objects_->insert(name, Bytes(100), store_clock_.wall_ns()));
  EXPECT_THAT(prune_with(at_once()).problems, IsEmpty());  // its push may run
  store_clock_.advance(std::chrono::hours(73));
  for (int run = 0; run < 2; ++run)
    EXPECT_THAT(prune_with(at_once()).problems, ElementsAre(HasSubstr("remove " + name)));
  EXPECT_THAT(names("sessions/"), SizeIs(1));
}

TEST_F(PruneTroubleTest, RetiredObjectsThatTheStoreLocksAreMergedOnce) {
  PruneOptions options = at_once();
  options.retired_together_min = 3;
  push_stream(random_stream(9, 100'000));
  for (Byte i = 1; i <= 3; ++i) put_mark(i, "s", i);
  prune_with(options);
  for (Byte i = 4; i <= 6; ++i) put_mark(i, "s", i);
  deny_removal_of({"retired/"});
  for (int run = 0; run < 4; ++run) prune_with(options);
  EXPECT_THAT(names("retired/"), SizeIs(2));
  EXPECT_EQ(load().removed.size(), 6U);
  deny_removal_of({});
  for (Byte i = 7; i <= 9; ++i) put_mark(i, "s", i);
  prune_with(options);
  EXPECT_THAT(names("retired/"), SizeIs(1)) << "the locks have ended";
  EXPECT_EQ(load().removed.size(), 9U);
}

// The mark of a damaged manifest may not know its stream.
TEST_F(PruneTroubleTest, AMarkWithoutAStreamDoesNotTakeTheOthersTheirs) {
  PruneOptions options = at_once();
  options.retired_together_min = 3;
  put_mark(0x11, "", 1);
  put_mark(0x22, "s", 41);
  put_mark(0xff, "", 1);
  prune_with(options);
  ASSERT_THAT(names("removed/"), IsEmpty());
  EXPECT_EQ(load().next("s").sequence, 42U);
}

// Two prunes at once may each rely on the index object that the other one condemns.
TEST_F(PruneTroubleTest, PacksThatOnlyCondemnedIndexObjectsListAreListedAnew) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  const auto old = names("index/");
  std::vector<Digest> condemned;
  for (const std::string& name : old) condemned.push_back(parse_name(name)->digest);
  const auto record = put_condemned(*repository_, condemned);
  ASSERT_TRUE(record.ok());
  ASSERT_TRUE(put_waits(*repository_, *record).ok());
  for (int run = 0; run < 2; ++run) prune_with(at_once());
  for (const std::string& name : old) EXPECT_FALSE(names("index/").contains(name));
  EXPECT_FALSE(names("index/").empty());
  EXPECT_THAT(names("condemned/"), SizeIs(1));
  EXPECT_THAT(names("waits/"), IsEmpty());
  expect_restores(first);
}

TEST_F(PruneTroubleTest, KeepsTheWaitsOfARecordThatCannotBeRead) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  prune_with(at_once());
  const std::string record = *names("condemned/").begin();
  const std::string waits = *names("waits/").begin();
  Bytes whole = *objects_->find(record)->bytes;
  Bytes flipped = whole;
  flipped[60] ^= 1;
  objects_->damage(record, std::move(flipped));
  prune_with(at_once());
  EXPECT_THAT(names("waits/"), Contains(waits));
  objects_->damage(record, std::move(whole));
  EXPECT_GT(prune_with(at_once()).deleted.packs, 0U);
}

TEST_F(PruneTroubleTest, SaysThatAHoldThatCannotBeReadKeepsARemovedSnapshot) {
  const Pushed first = push_stream(random_stream(1, kStreamBytes));
  push_stream(random_stream(2, kStreamBytes));
  remove(first);
  const auto name = parse_name(first.name);
  const std::string hold = kept_name(name->tag, name->uuid, 0);
  objects_->insert(hold, Bytes(100), store_clock_.wall_ns());
  const PruneReport report = prune_with(at_once());
  EXPECT_THAT(report.problems, ::testing::ElementsAre(HasSubstr(first.name)));
  EXPECT_EQ(report.condemned.packs, 0U);
  expect_restores(first);
}

TEST_F(PruneTroubleTest, MovesNothingWhileARecordCannotBeRead) {
  const Bytes whole = random_stream(1, kStreamBytes);
  const Pushed first = push_stream(whole);
  const Pushed part = push_stream(Bytes(whole.begin(), whole.begin() + kStreamBytes / 3), "t");
  remove(first);
  objects_->insert(condemned_name(Uuid()), Bytes(100), store_clock_.wall_ns());
  EXPECT_EQ(prune_with(at_once()).moved.blocks, 0U) << "what they are moved out of could not be deleted";
  expect_restores(part);
}

}  // namespace
}  // namespace drs
