// KafkaWriter: a RecordSink on librdkafka's idempotent producer: it keeps the order of each partition and stores each
// record once, or fails. It uses no transactions, whose markers would take offsets.
//
// Idempotence alone is not enough: a broker forgets a producer whose last record is older than
// producer.id.expiration.ms (a day), by the timestamp of the record, when it restarts and every ten minutes. Restored
// records are older. A batch that is sent again around that time is then stored twice. So the writer checks that the
// offsets of its records follow each other without a gap: it must be the only producer of its partitions. It cannot
// know the offset of its first record beforehand: the caller compares the number of records with the ends of the
// partition.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "io/record_sink.h"
#include "sinks/kafka/kafka_handle.h"
#include "sinks/kafka/kafka_owners.h"
#include "sinks/transport/rate_limit.h"

namespace drs {

class KafkaWriter final : public RecordSink {
 public:
  struct Options {
    // Of records that wait for an acknowledgment. One record may take half of it.
    std::uint64_t memory_bytes = 64 * kMiB;
    // Of a batch before its compression: not more than the least max.message.bytes of the topics.
    std::uint32_t batch_bytes = 1'000'000;
    std::uint64_t bytes_per_second = 0;  // of keys, values and headers; 0: unlimited
    KafkaClientOptions client;
  };

  // Errors: kUsage; kDenied (the login fails); kUnavailable; kCancelled.
  static Result<std::unique_ptr<KafkaWriter>> connect(const KafkaSettings& settings, const Options& options);
  // Drops records that wait.
  ~KafkaWriter() override;

  Result<std::uint32_t> open(const TopicPartition& partition, const std::string& compression) override;
  Result<void> write(std::uint32_t number, const Record& record) override;
  Result<void> flush() override;
  [[nodiscard]] SinkPosition position(std::uint32_t number) const override;
  void cancel() override { handle_->cancel(); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Topic {
    KafkaTopic handle;
    std::string compression;
    std::uint32_t partitions = 0;
  };
  struct Partition {
    TopicPartition name;
    rd_kafka_topic_t* topic = nullptr;
    SinkPosition position;
  };

  explicit KafkaWriter(const Options& options) : options_(options) {}
  Result<Topic*> topic_of(const std::string& name, const std::string& compression);
  Result<void> enqueue(Partition& partition, const Record& record);
  Result<void> await_rate(const Record& record);
  // Serves acknowledgments, and judges.
  Result<void> wait(std::chrono::milliseconds at_most);
  void delivered(const rd_kafka_message_t& message);
  Error fail(Error error);
  [[nodiscard]] Error delivery_error(const Partition& partition, rd_kafka_resp_err_t error, bool maybe_stored) const;

  const Options options_;
  std::unique_ptr<KafkaHandle> handle_;
  std::map<std::string, Topic> topics_;
  std::deque<Partition> partitions_;  // by number; librdkafka holds pointers to them
  std::optional<RateLimit> rate_;
  std::uint64_t waiting_ = 0;  // records without an acknowledgment
  std::uint32_t since_served_ = 0;
  Time last_progress_{};
  std::optional<Error> failed_;  // final
};

}  // namespace drs
