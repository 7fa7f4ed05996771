// KafkaReader: a RecordSource on librdkafka. It belongs to no consumer group, so it takes no rights on groups, commits
// nothing, and disturbs no consumer.
//
// One client reads all ranges through one queue, whose bounds therefore hold for all of them together. Records of
// aborted transactions and markers of transactions are not reported; nor does librdkafka say what a gap between two
// offsets was.
//
// The name of a header that contains a NUL byte cannot be read: librdkafka returns names as C strings. Such a record is
// the error kSource. A message of Kafka 0.10's format with timestamp 0 reads as one without a timestamp.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "io/record_source.h"
#include "sinks/kafka/kafka_fetcher.h"
#include "sinks/kafka/kafka_handle.h"

namespace drs {

class KafkaReader final : public RecordSource {
 public:
  struct Options {
    bool read_uncommitted = false;  // also records of open and of aborted transactions, up to the high watermark
    std::uint64_t memory_bytes = 72 * kMiB;
    std::uint32_t brokers = 3;  // of the cluster: each may answer at the same time
    // How long a topic must be unknown before it counts as deleted, how long a log must end before the end of a range
    // before that counts as truncated, and how long logins must fail while reading: a broker that has just started, or
    // become a leader, knows less for a moment.
    std::chrono::milliseconds settle = std::chrono::seconds(30);
    KafkaClientOptions client;
  };

  // `settings` must outlive the reader. Errors: kUsage; kDenied (the login fails); kUnavailable; kBusy (no thread).
  static Result<std::unique_ptr<KafkaReader>> connect(const KafkaSettings& settings, const Options& options);

  Result<std::vector<PartitionEnds>> capture(std::span<const TopicPartition> partitions) override;
  Result<void> read(const OffsetRange& range) override;
  Result<void> stop(std::uint32_t number) override;
  Result<void> renew() override;
  Result<void> poll(RecordVisitor& visitor) override;
  void cancel() override;

 private:
  using Time = std::chrono::steady_clock::time_point;

  // A range being read.
  struct Reading {
    OffsetRange range;
    std::int64_t next = 0;            // the least offset that may come
    std::uint64_t since_batch = 0;    // messages of this batch and earlier ones are of a reading before it
    std::optional<Time> ended_early;  // since when the log has ended before the end of the range
    int restarts = 0;                 // since the last record
  };

  KafkaReader(const KafkaSettings& settings, const Options& options) : settings_(settings), options_(options) {}
  [[nodiscard]] Result<std::unique_ptr<KafkaFetcher>> open_fetcher(bool read_uncommitted,
                                                                   const KafkaFetchLimits& limits) const;
  [[nodiscard]] KafkaHandle& handle() const { return fetcher_->handle(); }
  Result<void> start_fetch(Reading& reading);

  Result<void> replace_fetcher(const KafkaFetchLimits& limits);
  Result<void> fit_to_expansion();
  Result<void> take_batch(RecordVisitor& visitor);
  Result<void> take(const rd_kafka_message_t& message, RecordVisitor& visitor);
  Result<void> take_record(Reading& reading, const rd_kafka_message_t& message, RecordVisitor& visitor);
  Result<void> take_error(Reading& reading, const rd_kafka_message_t& message, RecordVisitor& visitor);
  Result<void> relocate(Reading& reading, RecordVisitor& visitor);
  Result<void> end(std::uint32_t number, RecordVisitor& visitor);
  Result<void> end_empty(RecordVisitor& visitor);
  Result<void> read_headers(const rd_kafka_message_t& message);
  Result<void> check_topics(RecordVisitor& visitor);
  Result<void> check_early_ends();
  Result<void> check_silence();

  const KafkaSettings& settings_;
  const Options options_;
  CancelToken cancel_;
  std::mutex fetcher_mutex_;  // held to replace the fetcher, and by `cancel`, which may come from another thread
  std::unique_ptr<KafkaFetcher> fetcher_;
  std::map<std::uint32_t, Reading> readings_;
  std::vector<std::uint32_t> empty_;  // ranges without offsets, whose end was not reported yet
  std::uint64_t batch_ = 0;           // counts batches
  std::size_t batch_messages_ = 1;    // how many the next batch may have
  std::vector<RecordHeader> headers_;
  const Reading* last_reading_ = nullptr;  // whose leader was noted last
  Time last_sign_{};                       // when a broker last sent something
  Time last_probe_{};
  std::optional<Time> unreachable_since_;  // probes have failed since then
  Time last_fit_{};
  std::uint64_t topic_errors_ = 0;           // of the client, as last looked at
  std::optional<Time> topic_missing_since_;  // one of those being read
  Time last_topic_check_{};
  std::optional<Error> failed_;  // a batch was lost with it: no later poll may go on
};

}  // namespace drs
