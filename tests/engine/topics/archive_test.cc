#include "engine/topics/archive.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "engine/pipeline/push/block_writer.h"
#include "engine/pipeline/push/snapshot_commit.h"
#include "engine/topics/catalogue_writer.h"
#include "tests/engine/topics/archive_fixture.h"
#include "tests/engine/topics/numbered_records.h"

namespace drs::test {
namespace {

TEST_F(ArchiveTest, HoldsWhatTheTopicHolds) {
  kafka_.add_topic("orders", 3);
  append(kafka_.partition("orders", 0), 1000);
  append(kafka_.partition("orders", 2), 10, 700'000);  // blocks of one record
  FakePartition& odd = kafka_.partition("orders", 1);
  odd.append(
      {.timestamp_ms = -1, .type = TimestampType::kNone, .key = {}, .value = {}, .headers = {{"", {}}, {"", ""}}});
  odd.skip(5);
  odd.append(
      {.timestamp_ms = 7, .type = TimestampType::kLogAppendTime, .key = "", .value = std::string(3'000'000, 'x')});
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->records, 1012U);
  EXPECT_EQ(report->manifest.producer, ProducerKind::kEndsReached);
  const auto open = this->open();
  for (std::size_t p = 0; p < 3; ++p)
    EXPECT_EQ(archived(open->view(), "orders", p), kafka_.partition("orders", p).log) << p;
  const PartitionDetail detail = open->view().details(*open->view().find("orders"))->at(1);
  EXPECT_THAT(detail.gaps, ::testing::ElementsAre(Gap{1, 5, GapCause::kTransaction}));
}

TEST_F(ArchiveTest, AGapIsReadAgainByAFreshClientBeforeItIsBelieved) {
  append(kafka_.add_topic("orders", 2).partitions[1], 300);
  kafka_.client_skips = [](const FakeRecord& record) { return record.offset >= 140 && record.offset < 150; };
  const auto wrong = archive(options());
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kSource);
  EXPECT_THAT(wrong.error().message,
              ::testing::HasSubstr("topic orders, partition 1: this run did not receive the record at offset 140"));
  const auto right = archive(options());
  ASSERT_TRUE(right.ok()) << right.error().message;
  EXPECT_EQ(right->records, 300U);
  EXPECT_EQ(kafka_.renewals, 1U) << "there was no gap in the second run";
}

TEST_F(ArchiveTest, EveryPartitionsLargestGapsAreReadAgainUnlessCompactionExplainsThem) {
  for (const char* const topic : {"orders", "table"}) {
    kafka_.add_topic(topic, 3);
    for (FakePartition& log : kafka_.topics.at(topic).partitions)
      for (int i = 1; i <= 10; ++i) {
        append(log, 20);
        log.skip(i);
      }
  }
  kafka_.topics.at("table").configs = {{.name = "cleanup.policy", .value = "compact"}};
  ASSERT_TRUE(archive(options("table")).ok());
  EXPECT_EQ(kafka_.renewals, 0U);
  ASSERT_TRUE(archive(options("orders")).ok());
  EXPECT_EQ(kafka_.renewals, 1U);
  kafka_.client_skips = [](const FakeRecord& record) { return record.offset / 20 == 6; };
  ArchiveOptions anew = options("orders");
  anew.stream = "anew";
  EXPECT_EQ(archive(anew).error().code, ErrorCode::kSource);
}

TEST_F(ArchiveTest, ReadsOnlyWhatIsNewAndTheLastRecord) {
  kafka_.add_topic("orders", 2);
  append(kafka_.partition("orders", 0), 500);
  ASSERT_TRUE(archive(options()).ok());
  append(kafka_.partition("orders", 0), 20);
  append(kafka_.partition("orders", 1), 7);
  kafka_.records_delivered = 0;
  const auto second = archive(options());
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(second->records_read, 27U);
  EXPECT_EQ(kafka_.records_delivered, 28U);
  EXPECT_EQ(second->manifest.streams.size(), 3U);
  const auto open = this->open();
  for (std::size_t p = 0; p < 2; ++p)
    EXPECT_EQ(archived(open->view(), "orders", p), kafka_.partition("orders", p).log) << p;
}

TEST_F(ArchiveTest, ReadsARecordInSixBlocksWhateverTheSize) {
  kafka_.add_topic("orders", 40);
  for (std::size_t p = 0; p < 40; ++p) append(kafka_.partition("orders", p), 200, 20'000);
  ASSERT_TRUE(archive(options()).ok());
  for (int run = 0; run < 5; ++run) {
    append(kafka_.partition("orders", 17), 60, 20'000);
    ASSERT_TRUE(archive(options()).ok());
  }
  for (const std::int64_t offset : {0, 150, 333, 499}) {
    const auto open = this->open();
    const std::uint64_t before = open->view().block_reads();
    EXPECT_LE(before, 2U);  // recipe and end of the catalogue
    const auto records = archived(open->view(), "orders", 17, {.from = offset, .to = offset + 1});
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0], kafka_.partition("orders", 17).log[static_cast<std::size_t>(offset)]);
    EXPECT_LE(open->view().block_reads(), 6U);
  }
}

TEST_F(ArchiveTest, SeesThatATopicIsAnotherOneThoughItIsLonger) {
  kafka_.add_topic("orders", 2);
  append(kafka_.partition("orders", 0), 50);
  append(kafka_.partition("orders", 1), 50);
  ASSERT_TRUE(archive(options()).ok());
  kafka_.add_topic("orders", 2);
  for (int i = 0; i < 80; ++i) kafka_.partition("orders", 1).append({.timestamp_ms = 5, .value = "other"});
  append(kafka_.partition("orders", 0), 60);  // begins as the old one did
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(report->warnings, ::testing::Contains(::testing::HasSubstr("created again")));
  const auto open = this->open();
  EXPECT_EQ(open->view().find("orders")->generation, 2U);
  EXPECT_EQ(open->view().catalogue().topics.size(), 1U);
  for (std::size_t p = 0; p < 2; ++p)
    EXPECT_EQ(archived(open->view(), "orders", p), kafka_.partition("orders", p).log) << p;
}

TEST_F(ArchiveTest, SeesThatSeveralTopicsAreOtherOnesInOnePoll) {
  for (const char* const name : {"a", "b", "c"}) append(kafka_.add_topic(name, 2).partitions[0], 50);
  ASSERT_TRUE(archive(options()).ok());
  for (const char* const name : {"a", "b", "c"}) {
    FakePartition& log = kafka_.add_topic(name, 2).partitions[0];
    for (int i = 0; i < 70; ++i) log.append({.timestamp_ms = i, .value = name});
  }
  kafka_.ranges_in_a_poll = 10;
  ASSERT_TRUE(archive(options()).ok());
  const auto open = this->open();
  for (const char* const name : {"a", "b", "c"}) {
    EXPECT_EQ(open->view().find(name)->generation, 2U);
    EXPECT_EQ(archived(open->view(), name, 0), kafka_.partition(name, 0).log) << name;
  }
}

TEST_F(ArchiveTest, RetentionDuringTheRunIsAGap) {
  kafka_.add_topic("orders", 1);
  append(kafka_.partition("orders", 0), 1000);
  int polls = 0;
  kafka_.before_poll = [&] {
    if (++polls == 3) kafka_.partition("orders", 0).delete_before(700);
  };
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->lost_offsets, 500U);
  EXPECT_EQ(report->records, 500U);
  const auto open = this->open();
  const PartitionDetail detail = open->view().details(*open->view().find("orders"))->at(0);
  EXPECT_THAT(detail.gaps, ::testing::ElementsAre(Gap{200, 500, GapCause::kRetention}));
  // The same, refused.
  ArchiveOptions refusing = options();
  refusing.refuse_loss = true;
  refusing.stream = "other";
  polls = 0;
  append(kafka_.partition("orders", 0), 1000);
  kafka_.before_poll = [&] {
    if (++polls == 3) kafka_.partition("orders", 0).delete_before(1700);
  };
  EXPECT_EQ(archive(refusing).error().code, ErrorCode::kSource);
}

TEST_F(ArchiveTest, ATopicThatVanishesIsLeftOutUnlessItIsNamed) {
  for (const char* const name : {"a1", "a2"}) append(kafka_.add_topic(name, 2).partitions[0], 1000);
  int polls = 0;
  kafka_.before_poll = [&] {
    if (++polls == 2) kafka_.topics.erase("a1");
  };
  const auto report = archive(options("a*"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->catalogue.topics.size(), 1U);
  EXPECT_THAT(report->warnings, ::testing::Contains(::testing::HasSubstr("a1 was deleted")));
  append(kafka_.add_topic("a1", 2).partitions[0], 1000);
  polls = 0;
  EXPECT_EQ(archive(options("a1")).error().code, ErrorCode::kSource);
}

TEST_F(ArchiveTest, ATopicThatVanishesWhileTheClusterIsLookedAtIsLeftOutUnlessItIsNamed) {
  for (const char* name : {"a0", "a1"}) append(kafka_.add_topic(name, 1).partitions[0], 10);
  kafka_.before_configs = [this] { kafka_.topics.erase("a1"); };
  const auto report = archive(options("a*"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->records, 10U);
  append(kafka_.add_topic("a1", 1).partitions[0], 10);
  EXPECT_EQ(archive(options("a1")).error().code, ErrorCode::kSource);
}

TEST_F(ArchiveTest, ATopicThatIsCreatedAgainWhileItIsReadIsLeftOutUnlessItIsNamed) {
  const auto begin = [&] {
    kafka_.topics.clear();
    for (const char* name : {"a0", "a1"}) append(kafka_.add_topic(name, 1).partitions[0], 1000);
    kafka_.topics.at("a1").id.data[0] = 1;
    kafka_.before_poll = [this, polls = 0]() mutable {
      if (++polls != 10) return;
      FakeTopic& again = kafka_.add_topic("a1", 1);
      again.id.data[0] = 2;
      for (int i = 0; i < 2000; ++i) again.partitions[0].append({.timestamp_ms = i, .value = "another"});
    };
  };
  begin();
  const auto report = archive(options("a*"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->catalogue.topics.size(), 1U);
  EXPECT_EQ(report->catalogue.topics[0].name, "a0");
  EXPECT_THAT(report->warnings, ::testing::Contains(::testing::HasSubstr("a1 was deleted and created again")));
  begin();
  EXPECT_EQ(archive(options("a1")).error().code, ErrorCode::kSource);
}

TEST_F(ArchiveTest, TruncationBelowACapturedEndFails) {
  kafka_.add_topic("orders", 1);
  append(kafka_.partition("orders", 0), 1000);
  kafka_.before_poll = [&] { kafka_.partition("orders", 0).end = 500; };
  EXPECT_EQ(archive(options()).error().code, ErrorCode::kSource);
  EXPECT_TRUE(load_snapshots(*repository_)->live.empty());
}

TEST_F(ArchiveTest, ABudgetCommitsWhatWasReadAndTheNextRunGoesOn) {
  kafka_.add_topic("orders", 3);
  for (std::size_t p = 0; p < 3; ++p) append(kafka_.partition("orders", p), 1000, 1000);
  ArchiveOptions limited = options();
  limited.bytes_max = 700'000;
  for (int run = 0; run < 4; ++run) {
    const auto report = archive(limited);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->partial, "budget");
    EXPECT_EQ(report->manifest.producer, ProducerKind::kUnseen);
    EXPECT_GT(report->records_read, 0U);
  }
  const auto report = archive(options());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->records, 3000U);
  const auto open = this->open();
  for (std::size_t p = 0; p < 3; ++p)
    EXPECT_EQ(archived(open->view(), "orders", p), kafka_.partition("orders", p).log) << p;
}

TEST_F(ArchiveTest, ARunThatIsToEndCommitsWhatItHasReadThoughNoBrokerAnswers) {
  FakePartition& log = kafka_.add_topic("orders", 1).partitions[0];
  append(log, 50);
  log.skip(1);
  append(log, 1000);
  for (const int polls : {3, 11}) {  // in the midst; after the last record
    kafka_.away = false;
    kafka_.before_poll = [this, left = polls]() mutable { kafka_.away = left-- == 0; };
    ArchiveOptions stopped = options();
    stopped.stream = "stopped-" + std::to_string(polls);
    EXPECT_EQ(archive(stopped).error().code, ErrorCode::kSource);
    kafka_.away = false;
    kafka_.before_poll = [this, left = polls]() mutable { kafka_.away = left-- <= 0; };
    stopped.stop = [this] { return kafka_.away ? "signal" : ""; };
    const auto report = archive(stopped);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->partial, "signal");
    EXPECT_EQ(report->records, polls == 3 ? 300U : 1050U);
    EXPECT_EQ(report->manifest.producer, ProducerKind::kUnseen);
    EXPECT_THAT(report->warnings, ::testing::Contains(::testing::HasSubstr("commits what it has read")));
  }
  kafka_.away = false;
  kafka_.before_poll = nullptr;
  ArchiveOptions next = options();
  next.stream = "stopped-3";
  const auto report = archive(next);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->records, 1050U);
  EXPECT_EQ(report->partial, "");
}

TEST_F(ArchiveTest, AnotherClusterIsNotArchivedUnderTheSameNameUnlessThatIsAskedFor) {
  append(kafka_.add_topic("orders", 1).partitions[0], 10);
  ASSERT_TRUE(archive(options()).ok());
  kafka_.id = "another";
  const auto refused = archive(options());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("is of cluster fake"));
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("of cluster another"));
  ArchiveOptions accepting = options();
  accepting.new_cluster = true;
  const auto report = archive(accepting);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(report->warnings, ::testing::Contains(::testing::HasSubstr("--new-cluster goes on with it")));
  EXPECT_TRUE(archive(options()).ok()) << "once is enough";
}

TEST_F(ArchiveTest, WarnsWhereDeletionsInACompactedTopicMayHaveBeenMissed) {
  for (const char* const name : {"daily", "seldom", "plain"}) append(kafka_.add_topic(name, 1).partitions[0], 10);
  for (const char* const name : {"daily", "seldom"})
    kafka_.topics.at(name).configs = {{.name = "cleanup.policy", .value = "compact"}};
  for (const char* const name : {"seldom", "plain"})
    kafka_.topics.at(name).configs.push_back({.name = "delete.retention.ms", .value = "0"});
  const auto first = archive(options());
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->warnings.empty());
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const auto second = archive(options());
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(second->warnings, ::testing::ElementsAre(::testing::HasSubstr("topic seldom is compacted")));
}

TEST_F(ArchiveTest, UncommittedRecordsAreNotMixedIntoAnArchiveOfCommittedOnes) {
  append(kafka_.add_topic("orders", 1).partitions[0], 10);
  ASSERT_TRUE(archive(options()).ok());
  ArchiveOptions uncommitted = options();
  uncommitted.read_uncommitted = true;
  append(kafka_.partition("orders", 0), 10);
  ASSERT_TRUE(archive(uncommitted).ok());
  const auto report = archive(options());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUsage);
  EXPECT_TRUE(archive(uncommitted).ok());
}

// As after a leader has lost the end of the log, and in a topic that was created again.
TEST_F(ArchiveTest, NeverWaitsForRecordsBehindTheLastStableOffset) {
  FakePartition& log = kafka_.add_topic("orders", 1).partitions[0];
  append(log, 100);
  ASSERT_TRUE(archive(options()).ok());
  log.last_stable = 40;
  kafka_.records_delivered = 0;
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->records, 100U);
  EXPECT_EQ(kafka_.records_delivered, 0U);
  // The same, of what is to be read again.
  const std::vector<ObjectInfo> packs = *repository_->list(ObjectKind::kPack);
  ASSERT_TRUE(objects_->erase(std::ranges::max_element(packs, {}, &ObjectInfo::size_bytes)->key));
  const auto again = archive(options());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(kafka_.records_delivered, 40U);
  EXPECT_EQ(again->records, 40U);
  EXPECT_EQ(again->catalogue.topics[0].partitions[0].state, PartitionState::kPartial);
  log.last_stable.reset();
  const auto last = archive(options());
  ASSERT_TRUE(last.ok()) << last.error().message;
  EXPECT_EQ(last->records, 100U);
  EXPECT_EQ(last->catalogue.topics[0].partitions[0].state, PartitionState::kComplete);
}

TEST_F(ArchiveTest, CountsWhatIsLostAfterALogWasEmpty) {
  kafka_.add_topic("orders", 1);
  FakePartition& log = kafka_.partition("orders", 0);
  append(log, 100);
  ASSERT_TRUE(archive(options()).ok());
  log.delete_before(100);
  ASSERT_TRUE(archive(options()).ok());
  append(log, 100);
  log.delete_before(150);
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->lost_offsets, 50U);
  EXPECT_EQ(report->records, 50U);
}

// As another program could have written it, or a copy from a repository of someone else brought it.
TEST_F(ArchiveTest, GoesOnFromACatalogueWithoutTheFirstPartitionsOfATopic) {
  append(kafka_.add_topic("orders", 2).partitions[1], 10);
  {
    std::vector<std::string> warnings;
    const ArchiveMemory memory = *plan_archive({.memory_bytes = kMemoryBytesMin, .threads = 2}, {});
    BufferArena arena = *BufferArena::map(memory.push.arena_bytes);
    ProgressCounters progress;
    const auto session =
        *WriteSession::begin(*repository_, repository_->store(), {.stream = "prod", .host = "test"}, {});
    auto begun = *SnapshotCommit::begin(
        *repository_, {.name = "prod", .content = ManifestContent::kTopics, .sequence_seen = 0}, warnings);
    const auto blocks = *BlockWriter::open(*repository_, *session, {memory.push, arena}, {progress, cancel_}, {});
    CatalogueContent content;
    content.catalogue.topics.emplace_back().name = "orders";
    content.catalogue.topics[0].partitions.emplace_back().number = 1'000'000'000;
    content.extents = {{{}}};
    Manifest manifest;
    manifest.stream = "prod";
    manifest.content = ManifestContent::kTopics;
    manifest.producer = ProducerKind::kEndsReached;
    manifest.streams = {*write_catalogue(*blocks, content)};
    manifest.bytes = manifest.new_bytes = manifest.streams[0].bytes;
    manifest.chunk_count = manifest.streams[0].chunk_count;
    ASSERT_TRUE(blocks->finish().ok());
    ASSERT_TRUE(begun.snapshot.commit(*session, manifest, std::nullopt, {}, warnings).ok());
  }
  const auto report = archive(options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->records, 10U);
  EXPECT_EQ(report->catalogue.topics[0].generation, 2U);
}

TEST_F(ArchiveTest, ManyRunsStayFewStreams) {
  kafka_.add_topic("orders", 2);
  ArchiveOptions small = options();
  small.consolidation.streams_max = 8;
  std::uint64_t rewritten = 0;
  for (int run = 0; run < 30; ++run) {
    append(kafka_.partition("orders", 0), 20, run == 3 ? 100'000 : 100);
    if (run % 4 == 0) append(kafka_.partition("orders", 1), 3);
    if (run == 20) kafka_.partition("orders", 0).delete_before(90);
    kafka_.partition("orders", 0).skip(2);
    const auto report = archive(small);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_LE(report->manifest.streams.size(), 10U);
    rewritten += report->rewritten_bytes;
  }
  EXPECT_GT(rewritten, 0U);
  const auto open = this->open();
  for (std::size_t p = 0; p < 2; ++p)
    EXPECT_EQ(archived(open->view(), "orders", p), kafka_.partition("orders", p).log) << p;
  const PartitionDetail detail = open->view().details(*open->view().find("orders"))->at(0);
  for (const Gap& gap : detail.gaps) EXPECT_EQ(gap.cause, GapCause::kTransaction);
}

TEST_F(ArchiveTest, RandomLivesOfTopicsAreArchivedExactly) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
    ArchiveOptions options = this->options("t*");
    options.stream = "random-" + std::to_string(seed);
    options.consolidation.streams_max = 4;
    kafka_.topics.clear();
    for (int run = 0; run < 12; ++run) {
      const std::string topic = "t" + std::to_string(below(3));
      if (!kafka_.topics.contains(topic)) kafka_.add_topic(topic, 3);
      for (FakePartition& log : kafka_.topics.at(topic).partitions) {
        for (std::int64_t i = below(40); i > 0; --i) {
          log.skip(below(8) == 0 ? below(5) : 0);
          FakeRecord record{.timestamp_ms = below(1'000'000) - 10};
          if (below(4) > 0) record.key = std::string(static_cast<std::size_t>(below(20)), 'k');
          if (below(4) > 0)
            record.value = std::string(static_cast<std::size_t>(below(below(10) == 0 ? 90'000 : 50) + 0), 'v');
          for (std::int64_t h = below(3); h > 0; --h) record.headers.emplace_back("h", std::nullopt);
          log.append(std::move(record));
        }
        if (below(5) == 0)
          log.delete_before(log.log_start + below(static_cast<std::uint64_t>(log.end - log.log_start + 1)));
        log.last_stable = below(3) == 0 ? std::max(log.log_start, log.end - below(10)) : log.end;
      }
      if (below(10) == 0) kafka_.topics.erase(topic);
      if (kafka_.topics.empty()) continue;
      options.bytes_max = below(4) == 0 ? std::optional<std::uint64_t>(5000) : std::nullopt;
      kafka_.batch = static_cast<std::size_t>(1 + below(50));
      const auto report = archive(options);
      ASSERT_TRUE(report.ok()) << seed << ": " << report.error().message;
    }
    if (kafka_.topics.empty()) continue;
    options.bytes_max.reset();
    ASSERT_TRUE(archive(options).ok());
    const SnapshotCatalog catalog = *load_snapshots(*repository_, options.stream);
    const auto open = *OpenTopics::open(*repository_, *catalog.latest(options.stream), 16 * kMiB, {});
    for (const auto& [name, topic] : kafka_.topics)
      for (std::size_t p = 0; p < 3; ++p) {
        std::vector<FakeRecord> expected = topic.partitions[p].log;
        // A transaction that opened again behind the last archive: what was archived stays.
        const CataloguePartition& partition = open->view().find(name)->partitions[p];
        std::erase_if(expected, [&](const FakeRecord& record) { return record.offset >= partition.to; });
        EXPECT_GE(partition.to, *topic.partitions[p].last_stable);
        EXPECT_EQ(archived(open->view(), name, p), expected) << seed << " " << name << " " << p;
      }
  }
}

}  // namespace
}  // namespace drs::test
