#include "engine/repository/repair_index.h"

#include <gtest/gtest.h>

#include "engine/format/names.h"
#include "engine/repository/block_index.h"
#include "tests/engine/pipeline/pull/pull_runs.h"
#include "tests/engine/pipeline/repository_fixture.h"

namespace drs::test {
namespace {

class RepairIndex : public ::testing::Test {
 protected:
  RepairIndex() {
    for (std::uint64_t i = 0; i < 12; ++i) {
      blocks_.push_back(fixture_.add_block({plain_bytes(500, 2 * i), plain_bytes(700, 2 * i + 1)}));
      if (i % 3 == 2) packs_.push_back(fixture_.close_pack());
    }
    std::vector<Piece> pieces;
    for (const BlockId& block : blocks_) pieces.push_back({block, 0, 2});
    snapshot_ = fixture_.add_snapshot("s", pieces);
  }
  RepairIndexReport repair(bool all = false) {
    ProgressCounters progress;
    CancelToken none;
    auto report = repair_index(fixture_.repository(), {.all = all}, progress, none);
    EXPECT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(progress.bytes, progress.total_bytes);
    return report.ok() ? *report : RepairIndexReport{};
  }
  // Expects that index objects cover every pack, and that every block is found.
  void expect_complete_index() {
    const auto packs = PackCatalog::load(fixture_.repository());
    ASSERT_TRUE(packs.ok());
    const auto index = BlockIndex::load(fixture_.repository(), fixture_.repository().store(), *packs, {});
    ASSERT_TRUE(index.ok());
    EXPECT_TRUE((*index)->problems().empty());
    for (std::uint32_t unit = 0; unit < (*index)->unit_count(); ++unit) {
      EXPECT_FALSE((*index)->unit_is_uncovered_pack(unit)) << (*index)->unit_name(unit);
    }
    for (const BlockId& block : blocks_) EXPECT_TRUE((*index)->locate(block).ok());
  }
  [[nodiscard]] std::size_t index_objects() { return fixture_.objects().list("index/").size(); }

  RepositoryFixture fixture_;
  std::vector<BlockId> blocks_;
  std::vector<Digest> packs_;
  Snapshot snapshot_;
};

// The store lists an object that it does not have.
TEST_F(RepairIndex, AnIndexObjectThatIsListedAgainAndNotThereIsReplacedAndBlocksNothing) {
  const std::string lost = fixture_.add_index({packs_[0], packs_[1]});
  fixture_.faults().fail = [&](const GetOperation& get) -> std::optional<Error> {
    if (get.key == lost) return Error(ErrorCode::kNotFound, "not there");
    return std::nullopt;
  };
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  EXPECT_TRUE(run.report.ok()) << run.report.error().message;
  const auto report = repair();
  EXPECT_EQ(report.index_objects_written, 1U);
  EXPECT_EQ(report.index_objects_removed, 1U);
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_NE(report.problems.front().find(lost), std::string::npos);
  expect_complete_index();
}

TEST_F(RepairIndex, APackThatIsListedAgainAndNotThereIsUnreadable) {
  fixture_.faults().fail = [&](const GetOperation& get) -> std::optional<Error> {
    if (get.key == pack_name(packs_[0])) return Error(ErrorCode::kNotFound, "not there");
    return std::nullopt;
  };
  const auto report = repair();
  EXPECT_EQ(report.packs_unreadable, 1U);
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_NE(report.problems.front().find(pack_name(packs_[0])), std::string::npos);
}

TEST_F(RepairIndex, IndexesPacksThatNoObjectCovers) {
  const std::string kept = fixture_.add_index({packs_[0], packs_[1]});
  const auto report = repair();
  EXPECT_EQ(report.packs_read, 3U);  // two of data, one of recipes
  EXPECT_EQ(report.index_objects_written, 1U);
  EXPECT_EQ(report.index_objects_removed, 0U);
  EXPECT_TRUE(fixture_.objects().find(kept));
  expect_complete_index();
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  EXPECT_TRUE(run.report.ok());
}

TEST_F(RepairIndex, FindsNothingToDoTheSecondTime) {
  repair();
  const auto report = repair();
  EXPECT_EQ(report.packs_read, 0U);
  EXPECT_EQ(report.index_objects_written, 0U);
  EXPECT_TRUE(report.problems.empty());
}

TEST_F(RepairIndex, ReplacesDamagedObjectsWhereverTheDamageIs) {
  for (std::size_t twelfth = 0; twelfth < 12; ++twelfth) {
    for (const ObjectInfo& object : fixture_.objects().list("index/")) fixture_.objects().erase(object.key);
    const std::string name = fixture_.add_index(packs_);
    const std::size_t size = fixture_.objects().find(name)->bytes->size();
    fixture_.damage(name, (size - 1) * twelfth / 11);
    const auto report = repair();
    EXPECT_EQ(report.packs_read, 5U);
    EXPECT_EQ(report.index_objects_removed, 1U);
    EXPECT_EQ(report.problems.size(), 1U);
    EXPECT_FALSE(fixture_.objects().find(name));
    expect_complete_index();
  }
}

TEST_F(RepairIndex, BuildsEverythingAnewOnRequest) {
  const std::string before = fixture_.add_index(packs_);
  const auto report = repair(true);
  EXPECT_EQ(report.packs_read, 5U);
  EXPECT_EQ(report.index_objects_removed, 1U);
  EXPECT_FALSE(fixture_.objects().find(before));
  expect_complete_index();
}

TEST_F(RepairIndex, RemovesObjectsOfPacksThatWereMoved) {
  const std::string stale = fixture_.add_index(packs_);
  for (std::size_t i = 0; i < 3; ++i) fixture_.add_copy(blocks_[i]);
  fixture_.close_pack();
  fixture_.objects().erase(pack_name(packs_[0]));
  const auto report = repair();
  EXPECT_EQ(report.index_objects_removed, 1U);
  EXPECT_TRUE(report.problems.empty());
  EXPECT_FALSE(fixture_.objects().find(stale));
  expect_complete_index();
}

TEST_F(RepairIndex, KeepsWhatIsNeededToHealLostBlocks) {
  const std::string only = fixture_.add_index(packs_);
  fixture_.objects().erase(pack_name(packs_[0]));
  for (const bool all : {false, true}) {
    const auto report = repair(all);
    EXPECT_TRUE(fixture_.objects().find(only)) << all;
    ASSERT_EQ(report.problems.size(), 1U) << all;
    EXPECT_NE(report.problems.front().find(only), std::string::npos) << report.problems.front();
  }
  // A later push stores the lost chunks again: the snapshot is complete again.
  for (std::size_t i = 0; i < 3; ++i) fixture_.add_block(std::vector<Bytes>(fixture_.chunks_of(blocks_[i])));
  fixture_.close_pack();
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.report.ok()) << run.report.error().message;
  EXPECT_EQ(run.report->healed_blocks, 3U);
}

TEST_F(RepairIndex, KeepsWhatAloneKnowsAPackWithADamagedTable) {
  const std::string only = fixture_.add_index(packs_);
  const std::string pack = pack_name(packs_[1]);
  fixture_.damage(pack, fixture_.objects().find(pack)->bytes->size() - 40);
  const auto report = repair(true);
  EXPECT_EQ(report.packs_unreadable, 1U);
  EXPECT_EQ(report.index_objects_removed, 0U);
  EXPECT_EQ(report.problems.size(), 2U);
  EXPECT_TRUE(fixture_.objects().find(only));
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  EXPECT_TRUE(run.report.ok());
}

TEST_F(RepairIndex, PassesOverAPackWhereverItsHeadIsDamaged) {
  const std::string pack = pack_name(packs_[1]);
  for (std::size_t offset = 0; offset < kEnvelopeBytes; ++offset) {
    fixture_.damage(pack, offset);
    const auto report = repair(true);
    fixture_.damage(pack, offset);  // flips it back
    EXPECT_EQ(report.packs_unreadable, 1U) << offset;
    EXPECT_EQ(report.packs_read, 4U) << offset;
  }
}

TEST_F(RepairIndex, NeverTakesAnObjectOfAPackThatIsYoungerThanItsListsForStale) {
  fixture_.add_index(packs_);
  fixture_.add_block({plain_bytes(800, 100)});
  const Digest late = fixture_.close_pack();
  const Bytes pack = *fixture_.objects().find(pack_name(late))->bytes;
  fixture_.objects().erase(pack_name(late));
  // During the repair, just before one of its lists, a push stores a pack and then its index object.
  for (const std::string_view before : {"index/", "packs/", "damaged/", "condemned/", "sessions/"}) {
    std::string published;
    fixture_.faults().before_list = [&](std::string_view prefix) {
      if (prefix != before || !published.empty()) return;
      fixture_.objects().insert(pack_name(late), pack, 0);
      published = fixture_.add_index({late});
    };
    repair();
    fixture_.faults().before_list = nullptr;
    ASSERT_FALSE(published.empty()) << before;
    EXPECT_TRUE(fixture_.objects().find(published)) << before;
    for (const ObjectInfo& object : fixture_.objects().list("index/")) fixture_.objects().erase(object.key);
    fixture_.objects().erase(pack_name(late));
  }
}

TEST_F(RepairIndex, NeverRemovesWhatASessionUnderWayMayHavePublished) {
  const std::string published = fixture_.add_index(packs_);
  const Uuid session = blocks_.front().session;
  ASSERT_TRUE(
      fixture_.objects().insert(session_name(StreamTag(), session, 0), plain_bytes(10, 1), SystemClock().wall_ns()));
  EXPECT_EQ(repair(true).index_objects_removed, 0U);
  EXPECT_TRUE(fixture_.objects().find(published));
  // If the session has ended, or died long ago, the object may be removed.
  ASSERT_TRUE(fixture_.objects().erase(session_name(StreamTag(), session, 0)));
  constexpr std::int64_t kLongNs = 100 * 3600LL * 1'000'000'000LL;
  ASSERT_TRUE(fixture_.objects().insert(session_name(StreamTag(), session, 0), plain_bytes(10, 1),
                                        SystemClock().wall_ns() - kLongNs));
  EXPECT_GT(repair(true).index_objects_removed, 0U);
  EXPECT_FALSE(fixture_.objects().find(published));
}

// The clock of this machine may be wrong by days.
TEST_F(RepairIndex, TellsRunningSessionsFromDeadOnesByTheStoresTimeAlone) {
  constexpr std::int64_t kHourNs = 3600LL * 1'000'000'000LL;
  class SkewedClock final : public Clock {
   public:
    explicit SkewedClock(std::int64_t by_ns) : by_ns_(by_ns) {}
    [[nodiscard]] std::int64_t wall_ns() const override { return SystemClock().wall_ns() + by_ns_; }
    [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return SystemClock().steady(); }

   private:
    const std::int64_t by_ns_;
  };
  const std::string session = session_name(StreamTag(), blocks_.front().session, 0);
  for (const std::int64_t skew_ns : {-1000 * kHourNs, 1000 * kHourNs}) {
    const SkewedClock clock(skew_ns);
    const auto repository = fixture_.open(clock);
    for (const bool dead : {false, true}) {
      const std::string published = fixture_.add_index(packs_);
      ASSERT_TRUE(
          fixture_.objects().insert(session, plain_bytes(10, 1), SystemClock().wall_ns() - (dead ? 73 : 71) * kHourNs));
      ProgressCounters progress;
      CancelToken none;
      ASSERT_TRUE(repair_index(*repository, {.all = true}, progress, none).ok());
      EXPECT_EQ(fixture_.objects().find(published).has_value(), !dead) << skew_ns;
      for (const ObjectInfo& object : fixture_.objects().list("index/")) fixture_.objects().erase(object.key);
      ASSERT_TRUE(fixture_.objects().erase(session));
      EXPECT_TRUE(fixture_.objects().list("sessions/").empty());
    }
  }
}

TEST_F(RepairIndex, NeverRemovesADamagedObjectThatIsYoungerThanASessionUnderWay) {
  const std::int64_t now = SystemClock().wall_ns();
  const std::string published = fixture_.add_index(packs_);
  Bytes damaged = *fixture_.objects().find(published)->bytes;
  damaged[damaged.size() - 1] ^= 1;
  fixture_.objects().erase(published);
  ASSERT_TRUE(fixture_.objects().insert(published, damaged, now));
  ASSERT_TRUE(fixture_.objects().insert(session_name(StreamTag(), Uuid(), 0), plain_bytes(10, 1), now - 1000));
  EXPECT_EQ(repair().index_objects_removed, 0U);
  EXPECT_TRUE(fixture_.objects().find(published));
  ASSERT_TRUE(fixture_.objects().erase(session_name(StreamTag(), Uuid(), 0)));
  EXPECT_EQ(repair().index_objects_removed, 1U);
  EXPECT_FALSE(fixture_.objects().find(published));
}

TEST_F(RepairIndex, ListsAgainWhatAnotherRepairReplaced) {
  const std::string before = fixture_.add_index({packs_[0], packs_[1]});
  std::string after;
  fixture_.faults().fail = [&](const GetOperation& get) -> std::optional<Error> {
    if (get.key != before || !after.empty()) return std::nullopt;
    after = fixture_.add_index(packs_);
    fixture_.objects().erase(before);
    return std::nullopt;
  };
  const auto report = repair();
  ASSERT_FALSE(after.empty());
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.packs_read, 1U);  // the recipe's pack: the new object covers all others
  EXPECT_TRUE(fixture_.objects().find(after));
  expect_complete_index();
}

TEST_F(RepairIndex, IsMissedByNoIndexThatIsLoadedBesideIt) {
  const std::string before = fixture_.add_index(packs_);
  const auto packs = PackCatalog::load(fixture_.repository());
  ASSERT_TRUE(packs.ok());
  const auto replace = [&] {
    fixture_.add_index(packs_);
    return fixture_.objects().erase(before);
  };
  fixture_.faults().fail = [&](const GetOperation& get) -> std::optional<Error> {
    if (get.key == before) replace();
    return std::nullopt;
  };
  const auto index = BlockIndex::load(fixture_.repository(), fixture_.repository().store(), *packs, {});
  ASSERT_TRUE(index.ok()) << index.error().message;
  EXPECT_FALSE((*index)->vanished());
  const auto location = (*index)->locate(blocks_.front());
  ASSERT_TRUE(location.ok()) << location.error().message;
  EXPECT_FALSE((*index)->unit_is_uncovered_pack(location->place.unit));
  // After the load, `vanished` reports it.
  fixture_.faults().fail = nullptr;
  (*index)->drop_cache();
  for (const ObjectInfo& object : fixture_.objects().list("index/")) fixture_.objects().erase(object.key);
  EXPECT_FALSE((*index)->locate(blocks_.front()).ok());
  EXPECT_TRUE((*index)->vanished());
}

TEST_F(RepairIndex, StopsWhenTheStoreDoesNotAnswer) {
  fixture_.faults().fail = [](const GetOperation&) { return Error(ErrorCode::kUnavailable, "no answer"); };
  ProgressCounters progress;
  CancelToken none;
  const auto report = repair_index(fixture_.repository(), {}, progress, none);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(index_objects(), 0U);
}

TEST_F(RepairIndex, ACancelEndsItAndRemovesNothing) {
  repair();
  const std::size_t before = index_objects();
  ASSERT_GT(before, 0U);
  CancelToken cancel;
  int reads = 0;
  fixture_.faults().fail = [&](const GetOperation&) -> std::optional<Error> {
    if (++reads == 3) cancel.cancel();
    return std::nullopt;
  };
  ProgressCounters progress;
  const auto report = repair_index(fixture_.repository(), {.all = true}, progress, cancel);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
  EXPECT_LE(reads, 10);
  EXPECT_GE(index_objects(), before);
}

}  // namespace
}  // namespace drs::test
