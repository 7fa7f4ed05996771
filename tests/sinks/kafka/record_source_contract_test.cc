// What every RecordSource promises: the fake of our tests, and KafkaReader on librdkafka's mock of a cluster. Holes and
// open transactions, which the mock does not have, are tested with the fake alone, and in tests/e2e with a broker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <numeric>

#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_writer.h"
#include "tests/io/fake_record_source.h"
#include "tests/sinks/kafka/collecting_visitor.h"
#include "tests/sinks/kafka/mock_kafka.h"

namespace drs {
namespace {

using ::testing::ElementsAre;

// A cluster with the topic "t" of two partitions.
class World {
 public:
  virtual ~World() = default;
  virtual RecordSource& source() = 0;
  virtual void append(const TopicPartition& partition, const std::vector<StoredRecord>& records) = 0;
  // Makes retention delete records of a partition. Returns where the log starts then.
  virtual std::int64_t delete_some(const TopicPartition& partition) = 0;
};

class FakeWorld final : public World {
 public:
  FakeWorld() {
    for (std::uint32_t partition = 0; partition < 2; ++partition) source_.skip({"t", partition}, 0);
  }
  RecordSource& source() override { return source_; }
  void append(const TopicPartition& partition, const std::vector<StoredRecord>& records) override {
    for (const StoredRecord& record : records) source_.append(partition, record);
  }
  std::int64_t delete_some(const TopicPartition& partition) override {
    source_.delete_before(partition, 3);
    return 3;
  }

 private:
  FakeRecordSource source_;
};

class MockWorld final : public World {
 public:
  MockWorld() : settings_(kafka_.settings()) {
    kafka_.create("t", 2);
    KafkaReader::Options options;
    options.settle = std::chrono::milliseconds(200);
    options.client.unavailable_after = std::chrono::seconds(10);
    auto reader = KafkaReader::connect(settings_, options);
    DRS_ASSERT(reader.ok(), "no reader");
    reader_ = *std::move(reader);
    auto writer = KafkaWriter::connect(settings_, {});
    DRS_ASSERT(writer.ok(), "no writer");
    writer_ = *std::move(writer);
    for (std::uint32_t partition = 0; partition < 2; ++partition)
      DRS_ASSERT(writer_->open({"t", partition}, "none").ok(), "no partition");
  }
  RecordSource& source() override { return *reader_; }
  void append(const TopicPartition& partition, const std::vector<StoredRecord>& records) override {
    std::vector<RecordHeader> headers;
    for (const StoredRecord& record : records)
      DRS_ASSERT(writer_->write(partition.partition, record.view(headers)).ok(), "not written");
    DRS_ASSERT(writer_->flush().ok(), "not flushed");
  }
  // The mock drops batches beyond 5 MiB.
  std::int64_t delete_some(const TopicPartition& partition) override {
    for (int i = 0; i < 7; ++i)
      append(partition, {{0, 1, TimestampType::kCreateTime, {}, std::string(900'000, 'x'), {}}});
    const auto ends = reader_->capture({&partition, 1});
    DRS_ASSERT(ends.ok() && ends->front().log_start > 0, "nothing was deleted");
    return ends->front().log_start;
  }

 private:
  MockKafka kafka_;
  const KafkaSettings settings_;
  std::unique_ptr<KafkaReader> reader_;
  std::unique_ptr<KafkaWriter> writer_;
};

StoredRecord record_of(int number) {
  return {
      number, 1'000 + number, TimestampType::kCreateTime, "k" + std::to_string(number), "v" + std::to_string(number),
      {}};
}

std::vector<StoredRecord> records_of(int count) {
  std::vector<StoredRecord> records;
  for (int i = 0; i < count; ++i) records.push_back(record_of(i));
  return records;
}

std::vector<std::int64_t> offsets(std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(to - from));
  std::iota(out.begin(), out.end(), from);
  return out;
}

struct Kind {
  const char* name;
  std::unique_ptr<World> (*make)();
};

class RecordSourceContract : public ::testing::TestWithParam<Kind> {
 protected:
  const std::unique_ptr<World> world_ = GetParam().make();
  RecordSource& source_ = world_->source();
  CollectingVisitor visitor_;
  const TopicPartition first_{"t", 0};
  const TopicPartition second_{"t", 1};
};

TEST_P(RecordSourceContract, CapturesTheEndsOfPartitionsInTheirOrder) {
  world_->append(second_, records_of(5));
  const TopicPartition partitions[] = {second_, first_};
  const auto ends = source_.capture(partitions);
  ASSERT_TRUE(ends.ok()) << ends.error().message;
  ASSERT_EQ(ends->size(), 2U);
  EXPECT_EQ((*ends)[0].log_start, 0);
  EXPECT_EQ((*ends)[0].last_stable, 5);
  EXPECT_EQ((*ends)[0].high_watermark, 5);
  EXPECT_EQ((*ends)[1].high_watermark, 0);
}

TEST_P(RecordSourceContract, GoesOnWithAFreshClient) {
  world_->append(first_, records_of(5));
  ASSERT_TRUE(source_.read({7, first_, 2, 5}).ok());
  ASSERT_TRUE(source_.renew().ok());
  ASSERT_TRUE(poll_until_ended(source_, visitor_, 1).ok());
  EXPECT_EQ(visitor_.offsets(7), offsets(2, 5));
}

TEST_P(RecordSourceContract, ReportsEveryByteOfRecords) {
  const std::string binary("\0\xff\n", 3);
  std::vector<StoredRecord> records = {
      {0, 1'700'000'000'123, TimestampType::kCreateTime, "key", "value", {}},
      {1, -1, TimestampType::kCreateTime, std::nullopt, std::nullopt, {}},
      {2, 1, TimestampType::kCreateTime, "", "", {{"", ""}, {"h", std::nullopt}, {"h", "2"}, {"a", binary}, {"h", ""}}},
      {3, 4'102'444'800'000, TimestampType::kCreateTime, binary, binary, {{"\xff\xfe", "x"}}}};
  world_->append(first_, records);
  ASSERT_TRUE(source_.read({7, first_, 0, 4}).ok());
  const auto done = poll_until_ended(source_, visitor_, 1);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(visitor_.records[7], records);
}

TEST_P(RecordSourceContract, ReportsARangeAndNothingAroundIt) {
  world_->append(first_, records_of(50));
  ASSERT_TRUE(source_.read({1, first_, 10, 30}).ok());
  ASSERT_TRUE(poll_until_ended(source_, visitor_, 1).ok());
  EXPECT_EQ(visitor_.offsets(1), offsets(10, 30));
}

TEST_P(RecordSourceContract, ReadsSeveralRangesAtATime) {
  world_->append(first_, records_of(2000));
  world_->append(second_, records_of(300));
  ASSERT_TRUE(source_.read({1, first_, 0, 2000}).ok());
  ASSERT_TRUE(source_.read({2, second_, 0, 300}).ok());
  ASSERT_TRUE(poll_until_ended(source_, visitor_, 2).ok());
  EXPECT_EQ(visitor_.offsets(1), offsets(0, 2000));
  EXPECT_EQ(visitor_.offsets(2), offsets(0, 300));
}

TEST_P(RecordSourceContract, EndsAnEmptyRange) {
  ASSERT_TRUE(source_.read({1, first_, 0, 0}).ok());
  ASSERT_TRUE(poll_until_ended(source_, visitor_, 1).ok());
  EXPECT_TRUE(visitor_.records.empty());
}

TEST_P(RecordSourceContract, ReportsNothingOfARangeThatWasStopped) {
  world_->append(first_, records_of(500));
  ASSERT_TRUE(source_.read({1, first_, 0, 500}).ok());
  while (visitor_.records.empty()) ASSERT_TRUE(source_.poll(visitor_).ok());
  ASSERT_TRUE(source_.stop(1).ok());
  const std::size_t before = visitor_.records[1].size();
  ASSERT_TRUE(source_.read({2, first_, 100, 110}).ok());
  ASSERT_TRUE(poll_until_ended(source_, visitor_, 1).ok());
  EXPECT_EQ(visitor_.records[1].size(), before);
  EXPECT_EQ(visitor_.offsets(2), offsets(100, 110));
}

TEST_P(RecordSourceContract, AVisitorMayStopARangeAndStartAnotherOfThePartition) {
  world_->append(first_, records_of(500));
  visitor_.on_record = [&](std::uint32_t number) -> Result<void> {
    if (number != 1 || visitor_.records[1].size() < 20) return {};
    DRS_RETURN_IF_ERROR(source_.stop(1));
    return source_.read({2, first_, 5, 40});
  };
  ASSERT_TRUE(source_.read({1, first_, 0, 500}).ok());
  const auto done = poll_until_ended(source_, visitor_, 1);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(visitor_.offsets(1), offsets(0, 20));
  EXPECT_EQ(visitor_.offsets(2), offsets(5, 40));
  EXPECT_THAT(visitor_.ends, ElementsAre(2U));
}

TEST_P(RecordSourceContract, AVisitorMayStartTheNextRangeWhenOneEnds) {
  world_->append(first_, records_of(100));
  visitor_.on_end = [&](std::uint32_t number) -> Result<void> {
    if (number == 3) return {};
    return source_.read({number + 1, first_, 10 * number, 10 * number + 10});
  };
  ASSERT_TRUE(source_.read({1, first_, 0, 10}).ok());
  ASSERT_TRUE(poll_until_ended(source_, visitor_, 3).ok());
  EXPECT_EQ(visitor_.offsets(2), offsets(10, 20));
  EXPECT_EQ(visitor_.offsets(3), offsets(20, 30));
}

TEST_P(RecordSourceContract, SaysWhereRetentionHasOvertakenARange) {
  world_->append(first_, records_of(10));
  const std::int64_t start = world_->delete_some(first_);
  const auto ends = source_.capture({&first_, 1});
  ASSERT_TRUE(ends.ok());
  const std::int64_t end = ends->front().last_stable;
  ASSERT_TRUE(source_.read({1, first_, 0, end}).ok());
  const auto done = poll_until_ended(source_, visitor_, 1);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(visitor_.log_starts[1], start);
  EXPECT_EQ(visitor_.offsets(1), offsets(start, end));
}

TEST_P(RecordSourceContract, EndsARangeThatRetentionHasDeletedWhole) {
  world_->append(first_, records_of(10));
  const std::int64_t start = world_->delete_some(first_);
  ASSERT_TRUE(source_.read({1, first_, 0, start}).ok());
  const auto done = poll_until_ended(source_, visitor_, 1);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(visitor_.log_starts[1], start);
  EXPECT_TRUE(visitor_.records[1].empty());
}

TEST_P(RecordSourceContract, FailsWhereTheLogEndsBeforeTheRange) {
  world_->append(first_, records_of(10));
  ASSERT_TRUE(source_.read({1, first_, 5, 12}).ok());
  const auto done = poll_until_ended(source_, visitor_, 1);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kTruncated) << done.error().message;
  EXPECT_EQ(visitor_.offsets(1), offsets(5, 10));
  const auto again = source_.poll(visitor_);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kTruncated);
}

TEST_P(RecordSourceContract, FailsWhereARangeBeginsBehindTheLog) {
  world_->append(first_, records_of(10));
  ASSERT_TRUE(source_.read({1, first_, 100, 120}).ok());
  const auto done = poll_until_ended(source_, visitor_, 1);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kTruncated) << done.error().message;
}

TEST_P(RecordSourceContract, ReturnsTheErrorOfItsVisitorAndStaysFailed) {
  world_->append(first_, records_of(10));
  visitor_.on_record = [](std::uint32_t) -> Result<void> { return Error(ErrorCode::kNoSpace, "full"); };
  ASSERT_TRUE(source_.read({1, first_, 0, 10}).ok());
  for (int i = 0; i < 2; ++i) {
    const auto done = poll_until_ended(source_, visitor_, 1);
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, ErrorCode::kNoSpace);
  }
  EXPECT_EQ(visitor_.records[1].size(), 1U);
}

TEST_P(RecordSourceContract, StopsWhenCancelled) {
  world_->append(first_, records_of(10));
  ASSERT_TRUE(source_.read({1, first_, 0, 10}).ok());
  source_.cancel();
  const auto done = source_.poll(visitor_);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(
    Sources, RecordSourceContract,
    ::testing::Values(Kind{"Fake", []() -> std::unique_ptr<World> { return std::make_unique<FakeWorld>(); }},
                      Kind{"KafkaReader", []() -> std::unique_ptr<World> { return std::make_unique<MockWorld>(); }}),
    [](const auto& one) { return one.param.name; });

TEST(FakeRecordSource, ReportsNoRecordsOfHoles) {
  FakeRecordSource source;
  const TopicPartition partition{"t", 0};
  for (int i = 0; i < 10; ++i) source.append(partition, record_of(i));
  source.remove(partition, 2, 8);
  source.skip(partition, 5);
  CollectingVisitor visitor;
  ASSERT_TRUE(source.read({1, partition, 0, 15}).ok());
  ASSERT_TRUE(poll_until_ended(source, visitor, 1).ok());
  EXPECT_THAT(visitor.offsets(1), ElementsAre(0, 1, 8, 9));
}

TEST(FakeRecordSource, RunsAScriptWhileARangeIsRead) {
  FakeRecordSource source;
  const TopicPartition partition{"t", 0};
  for (int i = 0; i < 10; ++i) source.append(partition, record_of(i));
  source.at(partition, 4, [&] { source.delete_before(partition, 7); });
  CollectingVisitor visitor;
  ASSERT_TRUE(source.read({1, partition, 0, 10}).ok());
  ASSERT_TRUE(poll_until_ended(source, visitor, 1).ok());
  EXPECT_THAT(visitor.offsets(1), ElementsAre(0, 1, 2, 3, 7, 8, 9));
  EXPECT_EQ(visitor.log_starts[1], 7);
}

TEST(FakeRecordSource, SeesThatATopicIsDroppedOrTruncatedMeanwhile) {
  for (const bool drop : {false, true}) {
    FakeRecordSource source;
    const TopicPartition partition{"t", 0};
    for (int i = 0; i < 10; ++i) source.append(partition, record_of(i));
    source.at(partition, 4, [&] { drop ? source.drop(partition) : source.truncate(partition, 6); });
    CollectingVisitor visitor;
    ASSERT_TRUE(source.read({1, partition, 0, 10}).ok());
    const auto done = poll_until_ended(source, visitor, 1);
    ASSERT_EQ(done.ok(), drop);
    if (drop)
      EXPECT_THAT(visitor.gone, ElementsAre(1));
    else
      EXPECT_EQ(done.error().code, ErrorCode::kTruncated);
  }
}

}  // namespace
}  // namespace drs
