// What archives keep of records and topics that the cluster no longer has.
#include <gmock/gmock.h>

#include "tests/engine/topics/archive_fixture.h"
#include "tests/engine/topics/numbered_records.h"

namespace drs::test {
namespace {

TEST_F(ArchiveTest, TheHistoryKeepsATopicThatVanishesMeanwhile) {
  append(kafka_.add_topic("a", 1).partitions[0], 50);
  append(kafka_.add_topic("b", 1).partitions[0], 50);
  ArchiveOptions all = options();
  all.history = History{History::Kind::kAll, 0};
  ASSERT_TRUE(archive(all).ok());
  append(kafka_.partition("a", 0), 500);
  int polls = 0;
  kafka_.before_poll = [&] {
    if (++polls == 2) kafka_.topics.erase("a");
  };
  ASSERT_TRUE(archive(all).ok());
  const auto open = this->open();
  ASSERT_NE(open->view().find("a"), nullptr);
  EXPECT_EQ(open->view().find("a")->partitions[0].records, 50U);
}

TEST_F(ArchiveTest, ATopicThatIsSelectedAgainIsHeldFromItsStart) {
  const std::int64_t now_ms = clock_.wall_ns() / 1'000'000;
  kafka_.add_topic("orders", 1);
  kafka_.add_topic("other", 1);
  FakePartition& log = kafka_.partition("orders", 0);
  ArchiveOptions span = options();
  span.history = History{History::Kind::kSpan, 3'600'000};
  append(log, 10);
  ASSERT_TRUE(archive(span).ok());
  log.append({.timestamp_ms = now_ms, .value = "young"});
  ASSERT_TRUE(archive(span).ok());
  // The history keeps what is young of it.
  ArchiveOptions without = options("other");
  const auto dropped = archive(without);
  ASSERT_TRUE(dropped.ok());
  EXPECT_EQ(dropped->records, 1U);
  ASSERT_TRUE(archive(options()).ok());
  const auto open = this->open();
  EXPECT_EQ(archived(open->view(), "orders", 0), log.log);
}

TEST_F(ArchiveTest, WhatWasLostBetweenTwoRunsStaysAGap) {
  kafka_.add_topic("orders", 1);
  FakePartition& log = kafka_.partition("orders", 0);
  ArchiveOptions all = options();
  all.history = History{History::Kind::kAll, 0};
  append(log, 100);
  ASSERT_TRUE(archive(all).ok());
  append(log, 100);
  log.delete_before(150);
  for (int run = 0; run < 2; ++run) {
    ASSERT_TRUE(archive(all).ok());
    const auto open = this->open();
    const PartitionDetail detail = open->view().details(*open->view().find("orders"))->at(0);
    EXPECT_EQ(detail.missing_offsets, 50U) << run;
    EXPECT_EQ(detail.gaps_count, 1U);
    EXPECT_THAT(detail.gaps, ::testing::ElementsAre(Gap{100, 50, GapCause::kRetention})) << run;
  }
}

TEST_F(ArchiveTest, ALossIsSaidOnceThoughTheHistoryKeepsTheTopic) {
  FakePartition& log = kafka_.add_topic("orders", 1).partitions[0];
  append(kafka_.add_topic("other", 1).partitions[0], 10);
  ArchiveOptions all = options();
  all.history = History{History::Kind::kAll, 0};
  append(log, 100);
  ASSERT_TRUE(archive(all).ok());
  append(log, 100);
  log.delete_before(150);
  log.last_stable = 190;
  const auto losing = archive(all);
  ASSERT_TRUE(losing.ok()) << losing.error().message;
  EXPECT_EQ(losing->lost_offsets, 50U);
  EXPECT_THAT(losing->warnings, ::testing::Contains(::testing::HasSubstr("retention deleted 50 offsets")));
  EXPECT_THAT(losing->warnings, ::testing::Contains(::testing::HasSubstr("an open transaction")));
  for (int run = 0; run < 2; ++run) {
    const auto later = archive(options("other"));
    ASSERT_TRUE(later.ok()) << later.error().message;
    EXPECT_EQ(later->lost_offsets, 0U);
    EXPECT_EQ(later->records, 150U);
    EXPECT_THAT(later->warnings, ::testing::Not(::testing::Contains(::testing::HasSubstr("retention deleted"))));
    EXPECT_THAT(later->warnings, ::testing::Not(::testing::Contains(::testing::HasSubstr("an open transaction"))));
  }
}

TEST_F(ArchiveTest, KeepsWhatTheHistorySays) {
  kafka_.add_topic("orders", 1);
  FakePartition& log = kafka_.partition("orders", 0);
  append(log, 100);
  ArchiveOptions all = options();
  all.history = History{History::Kind::kAll, 0};
  const std::vector<FakeRecord> everything = log.log;
  ASSERT_TRUE(archive(all).ok());
  log.delete_before(60);
  append(log, 5);
  ASSERT_TRUE(archive(options()).ok());  // inherits it
  auto open = this->open();
  EXPECT_EQ(archived(open->view(), "orders", 0).size(), 105U);
  open.reset();
  ArchiveOptions live = options();
  live.history = History{};
  const auto report = archive(live);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(report->warnings, ::testing::Contains(::testing::HasSubstr("keeps less")));
  open = this->open();
  EXPECT_EQ(archived(open->view(), "orders", 0), log.log);
  // Count and digest of the clipped window are those of its records.
  const CataloguePartition& partition = open->view().find("orders")->partitions[0];
  EXPECT_EQ(partition.records, 45U);
  RecordDigest digest;
  Bytes row;
  ASSERT_TRUE(open->view()
                  .visit(partition, {},
                         [&](const Record& record) -> Result<bool> {
                           digest.add(record_hash(record, row));
                           return true;
                         })
                  .ok());
  RecordDigest joined;
  const std::vector<CatalogueExtent> extents = *open->view().extents(partition);
  for (const CatalogueExtent& extent : extents) joined.append(extent.digest, extent.records);
  EXPECT_EQ(digest, joined);
}

}  // namespace
}  // namespace drs::test
