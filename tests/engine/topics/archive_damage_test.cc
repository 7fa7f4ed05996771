// Archives whose last one is damaged: what is read again, what stays, and what the new one no longer needs.
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "engine/format/document.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "engine/topics/reuse_check.h"
#include "tests/engine/topics/archive_fixture.h"
#include "tests/engine/topics/numbered_records.h"

namespace drs::test {
namespace {

TEST_F(ArchiveTest, ReadsAgainWhatIsLostInTheRepository) {
  kafka_.add_topic("orders", 4);
  std::mt19937_64 random(1);
  for (std::size_t p = 0; p < 4; ++p) {
    append(kafka_.partition("orders", p), 3000, 1000);
    for (FakeRecord& record : kafka_.partition("orders", p).log)
      for (char& c : *record.value) c = static_cast<char>(random());  // several packs
  }
  ASSERT_TRUE(archive(options()).ok());
  // The catalogue lies in the last pack, which is the smallest.
  const std::vector<ObjectInfo> packs = *repository_->list(ObjectKind::kPack);
  const std::string largest = std::ranges::max_element(packs, {}, &ObjectInfo::size_bytes)->key;
  append(kafka_.partition("orders", 0), 10);
  ASSERT_TRUE(objects_->erase(largest));
  kafka_.partition("orders", 1).delete_before(100);
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(report->warnings, ::testing::Contains(::testing::HasSubstr("read from the brokers again")));
  EXPECT_GT(report->records_read, 10U);
  const auto open = this->open();
  for (std::size_t p = 0; p < 4; ++p)
    EXPECT_EQ(archived(open->view(), "orders", p), kafka_.partition("orders", p).log) << p;
}

TEST_F(ArchiveTest, WhatTheHistoryAloneHoldsStaysThoughItIsDamaged) {
  kafka_.add_topic("orders", 1);
  FakePartition& log = kafka_.partition("orders", 0);
  std::mt19937_64 random(1);
  append(log, 10'000, 1000);
  for (FakeRecord& record : log.log)
    for (char& c : *record.value) c = static_cast<char>(random());  // several packs
  ArchiveOptions all = options();
  all.history = History{History::Kind::kAll, 0};
  ASSERT_TRUE(archive(all).ok());
  std::vector<FakeRecord> everything = log.log;
  const std::vector<ObjectInfo> packs = *repository_->list(ObjectKind::kPack);
  // One that holds records, and not their index.
  std::string lost;
  Bytes healed;
  for (const ObjectInfo& pack : packs) {
    lost = pack.key;
    healed = *objects_->find(lost)->bytes;
    objects_->erase(lost);
    const SnapshotCatalog catalog = *load_snapshots(*repository_, "prod");
    const auto open = OpenTopics::open(*repository_, *catalog.latest("prod"), 16 * kMiB, {});
    objects_->insert(lost, healed, 0);
    if (!open.ok()) continue;
    const auto extents = (*open)->view().extents((*open)->view().find("orders")->partitions[0]);
    if (extents.ok() && (*open)->view().index(extents->front()).ok()) break;
  }
  for (const std::int64_t log_start : {9'900, 10'003}) {
    ASSERT_TRUE(objects_->erase(lost));
    log.delete_before(log_start);
    append(log, 5);
    everything.insert(everything.end(), log.log.end() - 5, log.log.end());
    const auto report = archive(options());
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_THAT(report->warnings, ::testing::Contains(::testing::HasSubstr("the brokers no longer have")));
    {
      const auto open = this->open();  // what the brokers have can be read in any case
      EXPECT_TRUE(archived(open->view(), "orders", 0, {.from = log_start}) == log.log);
    }
    objects_->insert(lost, healed, 0);
    const auto open = this->open();
    // A record block that is lost with the border in its midst is given up for what the brokers have of it.
    const std::vector<FakeRecord> held = archived(open->view(), "orders", 0);
    EXPECT_EQ(held.size(), report->records);
    EXPECT_GT(held.size() + 1000, everything.size());
    EXPECT_TRUE(std::ranges::includes(everything, held, {}, &FakeRecord::offset, &FakeRecord::offset));
    EXPECT_EQ(held[5000], everything[5000]);
  }
}

TEST_F(ArchiveTest, NoStreamOfASnapshotIsDamagedOnceTheBrokersHaveReplacedWhatWas) {
  for (int run = 0; run < 2; ++run) {
    FakeTopic& topic = run == 0 ? kafka_.add_topic("orders", 4) : kafka_.topics.at("orders");
    for (FakePartition& log : topic.partitions) append(log, 200, 1000);
    ASSERT_TRUE(archive(options()).ok());
  }
  kafka_.batch = 10'000;  // one partition after the other
  std::mt19937_64 random(1);
  for (FakePartition& log : kafka_.topics.at("orders").partitions) {
    append(log, 3000, 1000);
    for (auto record = log.log.end() - 3000; record != log.log.end(); ++record)
      for (char& c : *record->value) c = static_cast<char>(random());  // several packs
  }
  ASSERT_TRUE(archive(options()).ok());
  const std::vector<ObjectInfo> packs = *repository_->list(ObjectKind::kPack);
  ASSERT_TRUE(objects_->erase(std::ranges::max_element(packs, {}, &ObjectInfo::size_bytes)->key));
  const auto is_damaged = [&] {
    const auto open = this->open();
    ReuseCheck reuse(open->view(), open->index(), open->packs());
    bool any = false;
    for (std::uint32_t i = 0; i < open->view().manifest().streams.size(); ++i) any = any || *reuse.has_damage(i);
    return any;
  };
  ASSERT_TRUE(is_damaged());
  ArchiveOptions small = options();
  small.consolidation.bytes_max = 1000;
  const auto limited = archive(small);
  ASSERT_TRUE(limited.ok()) << limited.error().message;
  EXPECT_THAT(limited->warnings, ::testing::Contains(::testing::HasSubstr("with a larger --consolidate")));
  EXPECT_TRUE(is_damaged());
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_GT(report->rewritten_bytes, 0U);
  EXPECT_EQ(report->manifest.streams.size(), 5U) << "the damaged stream is replaced, the others stay";
  EXPECT_FALSE(is_damaged());
  const auto open = this->open();
  for (std::size_t p = 0; p < 4; ++p)
    EXPECT_EQ(archived(open->view(), "orders", p), kafka_.partition("orders", p).log) << p;
}

TEST_F(ArchiveTest, WhatABudgetKeepsFromBeingReadAgainIsReadByALaterRun) {
  constexpr std::size_t kPartitions = 40;  // more than are read at a time
  kafka_.add_topic("orders", kPartitions);
  std::vector<std::string> packs;
  for (int run = 0; run < 3; ++run) {
    for (std::size_t p = 0; p < kPartitions; ++p) append(kafka_.partition("orders", p), 10);
    ASSERT_TRUE(archive(options()).ok());
    const std::vector<ObjectInfo> listed = *repository_->list(ObjectKind::kPack);
    for (const ObjectInfo& pack : listed)
      if (std::ranges::find(packs, pack.key) == packs.end()) packs.push_back(pack.key);
  }
  ASSERT_EQ(packs.size(), 3U);
  ASSERT_TRUE(objects_->erase(packs[1]));
  ArchiveOptions none = options();
  none.bytes_max = 0;
  const auto partial = archive(none);
  ASSERT_TRUE(partial.ok()) << partial.error().message;
  EXPECT_EQ(partial->records, 20 * kPartitions);
  for (const CataloguePartition& partition : partial->catalogue.topics[0].partitions)
    EXPECT_EQ(partition.state, PartitionState::kPartial) << partition.number;
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  const auto open = this->open();
  for (std::size_t p = 0; p < kPartitions; ++p) {
    EXPECT_EQ(report->catalogue.topics[0].partitions[p].state, PartitionState::kComplete) << p;
    EXPECT_EQ(archived(open->view(), "orders", p), kafka_.partition("orders", p).log) << p;
  }
}

TEST_F(ArchiveTest, DoesNotRelyOnCondemnedPacks) {
  kafka_.add_topic("orders", 2);
  for (std::size_t p = 0; p < 2; ++p) append(kafka_.partition("orders", p), 300, 1000);
  ASSERT_TRUE(archive(options()).ok());
  CondemnedPacks condemned;
  for (const ObjectInfo& info : objects_->list("packs/")) condemned.packs.push_back(parse_name(info.key)->digest);
  const std::string record = condemned_name(Uuid());
  objects_->insert(
      record, encode_document(repository_->keys(), ObjectKind::kCondemned, record, encode_condemned(condemned)), 0);
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->records_read, 600U);
  for (const Digest& pack : condemned.packs) objects_->erase(pack_name(pack));
  const auto open = this->open();
  for (std::size_t p = 0; p < 2; ++p)
    EXPECT_EQ(archived(open->view(), "orders", p), kafka_.partition("orders", p).log) << p;
}

TEST_F(ArchiveTest, SaysThatTheHistoryIsForgottenWhereTheCatalogueIsLost) {
  append(kafka_.add_topic("orders", 1).partitions[0], 100);
  ArchiveOptions all = options();
  all.history = History{History::Kind::kAll, 0};
  ASSERT_TRUE(archive(all).ok());
  const std::vector<ObjectInfo> packs = *repository_->list(ObjectKind::kPack);
  for (const ObjectInfo& pack : packs) ASSERT_TRUE(objects_->erase(pack.key));
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->records, 100U);
  EXPECT_THAT(report->warnings, ::testing::Contains(::testing::HasSubstr("nor its --history")));
}

}  // namespace
}  // namespace drs::test
