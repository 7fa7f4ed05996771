// What brokers know of topics. Internal to this folder.
#pragma once

#include <cstdint>

#include "io/base/topic.h"
#include "sinks/kafka/kafka_handle.h"
#include "sinks/kafka/kafka_owners.h"

namespace drs {

// The brokers, and with them all topics or only `topic`. Errors: those of KafkaHandle::ask.
enum class KafkaTopicsAsked : std::uint8_t { kNone, kAll };
Result<KafkaMetadata> ask_kafka_metadata(KafkaHandle& handle, const KafkaAct& act, KafkaTopicsAsked which);
Result<KafkaMetadata> ask_kafka_metadata(KafkaHandle& handle, const KafkaAct& act, rd_kafka_topic_t* topic);

// Waits for the first answer of a broker. Errors: as above.
Result<void> await_kafka_brokers(KafkaHandle& handle);

// The number of partitions of a topic. Errors: kNotFound, kDenied and those of KafkaHandle::ask.
Result<std::uint32_t> ask_kafka_partitions(KafkaHandle& handle, const KafkaAct& act, rd_kafka_topic_t* topic);

// The error that brokers have for this partition, if they have one: kNotFound or kDenied. Asks on behalf of a call that
// librdkafka has failed for want of a leader. `handle` must use no topic of the name: the configuration of its first
// use stays.
Result<void> check_kafka_partition(KafkaHandle& handle, const KafkaAct& act, const TopicPartition& partition);

}  // namespace drs
