// KafkaFetcher: a client of librdkafka that fetches partitions into one queue. Internal to this folder.
//
// It uses no consumer group: the calls that assign partitions need a `group.id`, look for the coordinator of that
// group, and take a right on it.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/base/topic.h"
#include "sinks/kafka/kafka_fetch_limits.h"
#include "sinks/kafka/kafka_handle.h"
#include "sinks/kafka/kafka_owners.h"
#include "sinks/kafka/kafka_waker.h"

namespace drs {

// "reading partition 3 of topic 'orders'", and the right that it takes.
KafkaAct kafka_reading_act(const TopicPartition& partition);

class KafkaFetcher {
 public:
  struct Options {
    bool read_uncommitted = false;
    std::chrono::milliseconds settle{};  // how long an unknown topic may be a new one
    KafkaFetchLimits limits;
    KafkaClientOptions client;
  };
  // Connects in the background. Errors: kUsage, kBusy.
  static Result<std::unique_ptr<KafkaFetcher>> open(const KafkaSettings& settings, const Options& options);
  ~KafkaFetcher();
  KafkaFetcher(const KafkaFetcher&) = delete;
  KafkaFetcher& operator=(const KafkaFetcher&) = delete;

  [[nodiscard]] KafkaHandle& handle() { return *handle_; }
  [[nodiscard]] const KafkaFetchLimits& limits() const { return limits_; }

  // Fetches a partition from `offset` on; its messages belong to `owner`, which is not null. Errors: kUsage.
  Result<void> start(const TopicPartition& partition, std::int64_t offset, void* owner);
  // Returns once librdkafka has dropped what it had fetched of a partition.
  Result<void> stop(const TopicPartition& partition);

  // Up to `count` messages; without any, waits for one. The caller destroys them.
  std::span<rd_kafka_message_t*> take(std::size_t count, std::chrono::milliseconds wait);
  // Ends a wait of `take`. Any thread.
  void wake() { rd_kafka_queue_yield(queue_.get()); }
  // The owner of a message; null if its partition was stopped, or if it is of no topic.
  static void* owner_of(const rd_kafka_message_t& message);
  // A message of this partition came.
  void note_leader(const rd_kafka_message_t& message, const TopicPartition& partition);

  // Whether the brokers know a partition that was started. Errors: kNotFound, kDenied and those of KafkaHandle::ask.
  Result<void> check_known(const TopicPartition& partition);
  [[nodiscard]] std::optional<double> expansion() const { return expansion_.value(); }

 private:
  // What librdkafka returns with each message of a topic.
  struct Topic {
    KafkaTopic handle;
    std::vector<void*> owners;  // by partition
  };
  explicit KafkaFetcher(const KafkaFetchLimits& limits) : limits_(limits) {}
  Result<Topic*> topic_of(const std::string& name);

  const KafkaFetchLimits limits_;
  KafkaExpansion expansion_;
  std::unique_ptr<KafkaHandle> handle_;
  std::map<std::string, Topic> topics_;  // never erased: messages point there
  KafkaQueue queue_;
  std::unique_ptr<KafkaWaker> waker_;  // null where librdkafka needs none
  std::vector<rd_kafka_message_t*> messages_;
};

}  // namespace drs
