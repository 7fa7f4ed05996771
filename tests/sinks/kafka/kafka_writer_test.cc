#include "sinks/kafka/kafka_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "sinks/kafka/kafka_reader.h"
#include "tests/sinks/kafka/collecting_visitor.h"
#include "tests/sinks/kafka/mock_kafka.h"

namespace drs {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class KafkaWriterTest : public ::testing::Test {
 protected:
  KafkaWriterTest() : settings_(kafka_.settings()) {
    kafka_.create("t", 2);
    kafka_.create("u", 1);
    options_.client.unavailable_after = milliseconds(3000);
  }
  std::unique_ptr<KafkaWriter> writer() const {
    auto writer = KafkaWriter::connect(settings_, options_);
    DRS_ASSERT(writer.ok(), "no writer");
    return *std::move(writer);
  }
  static std::uint32_t open(KafkaWriter& writer, const TopicPartition& partition, const char* compression = "none") {
    const auto number = writer.open(partition, compression);
    DRS_ASSERT(number.ok(), "no partition");
    return *number;
  }
  static Result<void> write(KafkaWriter& writer, std::uint32_t number, const std::string& value) {
    Record record;
    record.timestamp_ms = 1'000;
    record.value = as_bytes(value);
    return writer.write(number, record);
  }
  // Writes records until the first error of a write or of the flush.
  static Result<void> write_many(KafkaWriter& writer, std::uint32_t number, int count) {
    for (int i = 0; i < count; ++i) DRS_RETURN_IF_ERROR(write(writer, number, std::to_string(i)));
    return writer.flush();
  }
  std::vector<StoredRecord> read(const TopicPartition& partition, std::int64_t to) {
    auto reader = KafkaReader::connect(settings_, {});
    DRS_ASSERT(reader.ok(), "no reader");
    CollectingVisitor visitor;
    DRS_ASSERT((*reader)->read({1, partition, 0, to}).ok(), "not read");
    DRS_ASSERT(poll_until_ended(**reader, visitor, 1).ok(), "not read");
    return visitor.records[1];
  }

  MockKafka kafka_;
  const KafkaSettings settings_;
  KafkaWriter::Options options_;
};

TEST_F(KafkaWriterTest, CountsWhatTheBrokersHaveStored) {
  const auto sink = writer();
  const std::uint32_t first = open(*sink, {"t", 0}, "lz4");
  const std::uint32_t second = open(*sink, {"t", 1}, "lz4");
  const std::uint32_t other = open(*sink, {"u", 0}, "zstd");
  ASSERT_TRUE(write_many(*sink, first, 700).ok());
  ASSERT_TRUE(write_many(*sink, other, 3).ok());
  EXPECT_EQ(sink->position(first).acknowledged, 700U);
  EXPECT_EQ(sink->position(first).last_offset, 699);
  EXPECT_EQ(sink->position(second).acknowledged, 0U);
  EXPECT_EQ(sink->position(second).last_offset, -1);
  EXPECT_EQ(sink->position(other).last_offset, 2);
  const auto records = read({"t", 0}, 700);
  for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].value, std::to_string(i));
}

TEST_F(KafkaWriterTest, KeepsEachRecordOnceAndInOrderWhileBrokersFail) {
  const auto sink = writer();
  const std::uint32_t number = open(*sink, {"t", 0});
  kafka_.fail_next(kProduceKey, {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                 RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NO_ERROR,
                                 RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
  const auto done = write_many(*sink, number, 5'000);
  ASSERT_TRUE(done.ok()) << done.error().message;
  const auto records = read({"t", 0}, 5'000);
  ASSERT_EQ(records.size(), 5'000U);
  for (std::size_t i = 0; i < records.size(); ++i) ASSERT_EQ(records[i].value, std::to_string(i));
}

TEST_F(KafkaWriterTest, HoldsABoundedNumberOfRecords) {
  options_.memory_bytes = 2 * kMiB;  // 2,600 records
  const auto sink = writer();
  const std::uint32_t number = open(*sink, {"t", 0});
  const auto done = write_many(*sink, number, 20'000);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(sink->position(number).acknowledged, 20'000U);
}

TEST_F(KafkaWriterTest, RefusesARecordLargerThanItsQueue) {
  options_.memory_bytes = 2 * kMiB;
  const auto sink = writer();
  const auto done = write(*sink, open(*sink, {"t", 0}), std::string(3 * kMiB, 'x'));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kUsage);
  EXPECT_THAT(done.error().message, HasSubstr("which holds 1048576; raise --memory"));
}

TEST_F(KafkaWriterTest, RefusesTimestampZero) {
  Record record;
  record.timestamp_ms = 0;
  const auto sink = writer();
  const auto done = sink->write(open(*sink, {"t", 0}), record);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kUsage);
  EXPECT_THAT(done.error().message, HasSubstr("timestamp 0"));
}

TEST_F(KafkaWriterTest, NamesWhatTheBrokersRefuse) {
  const std::tuple<rd_kafka_resp_err_t, ErrorCode, const char*> cases[] = {
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ErrorCode::kDenied, "Write on topic 't'"},
      {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ErrorCode::kUsage, "max.message.bytes"},
      {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, ErrorCode::kUsage, "message.timestamp.before.max.ms"},
      {RD_KAFKA_RESP_ERR_INVALID_RECORD, ErrorCode::kUsage, "cleanup.policy=compact"}};
  for (const auto& [error, code, text] : cases) {
    const auto sink = writer();
    const std::uint32_t number = open(*sink, {"t", 0});
    kafka_.fail_next(kProduceKey, {error});
    const auto done = write_many(*sink, number, 1);
    ASSERT_FALSE(done.ok()) << text;
    EXPECT_EQ(done.error().code, code) << done.error().message;
    EXPECT_THAT(done.error().message, HasSubstr(text));
    const auto again = write(*sink, number, "x");
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().code, code);
  }
}

TEST_F(KafkaWriterTest, SaysWhenItCannotTellWhatIsStored) {
  const auto sink = writer();
  const std::uint32_t number = open(*sink, {"t", 0});
  kafka_.fail_next(kProduceKey, {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  const auto done = write_many(*sink, number, 10);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kUnsettled) << done.error().message;
}

TEST_F(KafkaWriterTest, NoticesRecordsOfOthersBetweenItsOwn) {
  const auto sink = writer();
  const std::uint32_t number = open(*sink, {"t", 0});
  ASSERT_TRUE(write_many(*sink, number, 10).ok());
  const auto other = writer();
  ASSERT_TRUE(write_many(*other, open(*other, {"t", 0}), 1).ok());
  const auto done = write_many(*sink, number, 10);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kUnsettled);
  EXPECT_THAT(done.error().message, HasSubstr("a record was stored at offset 11, after 9"));
}

TEST_F(KafkaWriterTest, FailsWhenNoBrokerAnswersForSoLong) {
  const auto sink = writer();
  const std::uint32_t number = open(*sink, {"t", 0});
  kafka_.set_down(true);
  const auto done = write_many(*sink, number, 10);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kUnavailable) << done.error().message;
}

TEST_F(KafkaWriterTest, StopsWhenCancelled) {
  const auto sink = writer();
  const std::uint32_t number = open(*sink, {"t", 0});
  kafka_.set_down(true);
  ASSERT_TRUE(write(*sink, number, "x").ok());
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(50));
    sink->cancel();
  });
  const auto done = sink->flush();
  other.join();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
}

TEST_F(KafkaWriterTest, HoldsItsRate) {
  options_.bytes_per_second = 100'000;
  const auto sink = writer();
  const std::uint32_t number = open(*sink, {"t", 0});
  ASSERT_TRUE(write_many(*sink, number, 1).ok());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(write(*sink, number, std::string(5'000, 'x')).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(300));
}

TEST_F(KafkaWriterTest, RefusesPartitionsAndCompressionsThatDoNotExist) {
  const auto sink = writer();
  const auto absent = sink->open({"t", 2}, "none");
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  for (const char* compression : {"", "producer", "brotli"}) {
    const auto unknown = sink->open({"u", 0}, compression);
    ASSERT_FALSE(unknown.ok()) << compression;
    EXPECT_EQ(unknown.error().code, ErrorCode::kUsage);
  }
  const auto second = sink->open({"t", 1}, "zstd");
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("two kinds of compression"));
}

}  // namespace
}  // namespace drs
