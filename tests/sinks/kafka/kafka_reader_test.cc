// What KafkaReader does beyond the contract of a RecordSource, on librdkafka's mock of a cluster.
#include "sinks/kafka/kafka_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "sinks/kafka/kafka_cluster.h"
#include "sinks/kafka/kafka_writer.h"
#include "tests/sinks/kafka/collecting_visitor.h"
#include "tests/sinks/kafka/mock_kafka.h"

namespace drs {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class KafkaReaderTest : public ::testing::Test {
 protected:
  KafkaReaderTest() : settings_(kafka_.settings()) { kafka_.create("t", 1); }

  static KafkaReader::Options options() {
    KafkaReader::Options options;
    options.settle = milliseconds(300);
    options.client.unavailable_after = milliseconds(3000);
    return options;
  }
  std::unique_ptr<KafkaReader> reader() const {
    auto reader = KafkaReader::connect(settings_, options());
    DRS_ASSERT(reader.ok(), "no reader");
    return *std::move(reader);
  }
  void fill(int count, std::size_t value_bytes = 10) const {
    auto writer = KafkaWriter::connect(settings_, {});
    DRS_ASSERT(writer.ok(), "no writer");
    const auto number = (*writer)->open(partition_, "lz4");
    DRS_ASSERT(number.ok(), "no partition");
    const std::string value(value_bytes, 'v');
    for (int i = 0; i < count; ++i) {
      Record record;
      record.timestamp_ms = 1 + i;
      record.value = as_bytes(value);
      DRS_ASSERT((*writer)->write(*number, record).ok(), "not written");
    }
    DRS_ASSERT((*writer)->flush().ok(), "not flushed");
  }

  MockKafka kafka_;
  const KafkaSettings settings_;
  const TopicPartition partition_{"t", 0};
  CollectingVisitor visitor_;
};

TEST_F(KafkaReaderTest, FailsWhenNoBrokerAnswersForSoLong) {
  fill(10);
  const auto source = reader();
  kafka_.set_down(true);
  ASSERT_TRUE(source->read({1, partition_, 0, 10}).ok());
  const auto done = poll_until_ended(*source, visitor_, 1);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(done.error().message, HasSubstr("reading partition 0 of topic 't': the brokers do not answer: "));
}

TEST_F(KafkaReaderTest, GoesOnWhenTheBrokersComeBack) {
  fill(10);
  const auto source = reader();
  kafka_.set_down(true);
  ASSERT_TRUE(source->read({1, partition_, 0, 10}).ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(source->poll(visitor_).ok());
  kafka_.set_down(false);
  const auto done = poll_until_ended(*source, visitor_, 1);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(visitor_.records[1].size(), 10U);
}

TEST_F(KafkaReaderTest, NamesTheRightThatItLacks) {
  fill(10);
  const auto source = reader();
  kafka_.fail_next(kFetchKey, std::vector<rd_kafka_resp_err_t>(20, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
  ASSERT_TRUE(source->read({1, partition_, 0, 10}).ok());
  const auto done = poll_until_ended(*source, visitor_, 1);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kDenied);
  EXPECT_THAT(done.error().message, HasSubstr("Read on topic 't'"));
}

TEST_F(KafkaReaderTest, WaitsOutWhatPasses) {
  fill(10);
  const auto source = reader();
  kafka_.fail_next(kFetchKey, {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
                               RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_UNKNOWN});
  ASSERT_TRUE(source->read({1, partition_, 0, 10}).ok());
  const auto done = poll_until_ended(*source, visitor_, 1);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(visitor_.records[1].size(), 10U);
}

TEST_F(KafkaReaderTest, BelievesThatATopicIsGoneOnlyWhenThatLasts) {
  fill(10);
  const auto source = reader();
  rd_kafka_mock_topic_set_error(kafka_.cluster(), "t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  kafka_.fail_next(kFetchKey, std::vector<rd_kafka_resp_err_t>(100, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART));
  ASSERT_TRUE(source->read({1, partition_, 0, 10}).ok());
  const auto done = poll_until_ended(*source, visitor_, 1);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_THAT(visitor_.gone, ::testing::ElementsAre(1));
}

TEST_F(KafkaReaderTest, FollowsTheLeaderOfAPartition) {
  fill(3000, 1000);
  const auto source = reader();
  int leader = 0;
  visitor_.on_record = [&](std::uint32_t) -> Result<void> {
    if (visitor_.records[1].size() % 500 == 0)
      rd_kafka_mock_partition_set_leader(kafka_.cluster(), "t", 0, leader++ % 3 + 1);
    return {};
  };
  ASSERT_TRUE(source->read({1, partition_, 0, 3000}).ok());
  const auto done = poll_until_ended(*source, visitor_, 1);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(visitor_.records[1].size(), 3000U);
}

TEST_F(KafkaReaderTest, CancelWakesAWaitingPoll) {
  fill(1);
  const auto source = reader();
  ASSERT_TRUE(source->read({1, partition_, 0, 2}).ok());
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(50));
    source->cancel();
  });
  Result<void> done;
  while (done.ok()) done = source->poll(visitor_);
  other.join();
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
}

TEST(KafkaReader, DoesNotConnectWhereNobodyListens) {
  KafkaSettingsSources sources;
  sources.options = {"bootstrap.servers=127.0.0.1:1"};
  const auto settings = KafkaSettings::read(sources);
  ASSERT_TRUE(settings.ok());
  KafkaReader::Options options;
  options.client.unavailable_after = milliseconds(1200);
  const auto reader = KafkaReader::connect(*settings, options);
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(reader.error().message, HasSubstr("Connection refused"));
}

TEST(KafkaReader, RefusesSettingsThatCannotBeTogether) {
  KafkaSettingsSources sources;
  sources.options = {"bootstrap.servers=127.0.0.1:1", "security.protocol=ssl", "ssl.ca.location=/nonexistent"};
  const auto settings = KafkaSettings::read(sources);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  const auto reader = KafkaReader::connect(*settings, {});
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code, ErrorCode::kUsage);
  EXPECT_THAT(reader.error().message, HasSubstr("ssl.ca.location"));
}

TEST(KafkaCluster, LooksAtTopics) {
  MockKafka kafka(2);
  kafka.create("b", 3);
  kafka.create("a", 1);
  const KafkaSettings settings = kafka.settings();
  const auto cluster = KafkaCluster::connect(settings, {});
  ASSERT_TRUE(cluster.ok()) << cluster.error().message;
  const auto view = (*cluster)->look();
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_EQ(view->brokers, 2U);
  EXPECT_FALSE(view->id.empty());
  EXPECT_THAT(view->client, HasSubstr("librdkafka "));
  ASSERT_EQ(view->topics.size(), 2U);
  EXPECT_EQ(view->topics[0].name, "a");
  EXPECT_EQ(view->topics[1].partitions, 3U);
}

TEST(KafkaCluster, FailsWithinItsTimeWhereTheBrokersKnowNoAdminRequest) {
  MockKafka kafka(1);
  const KafkaSettings settings = kafka.settings();
  KafkaCluster::Options options;
  options.client.unavailable_after = milliseconds(1500);
  const auto cluster = KafkaCluster::connect(settings, options);
  ASSERT_TRUE(cluster.ok()) << cluster.error().message;
  EXPECT_FALSE((*cluster)->configs("t").ok());
  (*cluster)->cancel();
  const auto cancelled = (*cluster)->look();
  ASSERT_FALSE(cancelled.ok());
  EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace drs
