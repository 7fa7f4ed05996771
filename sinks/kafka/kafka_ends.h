// The ends of partitions, asked of their leaders. Internal to this folder.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/base/topic.h"
#include "sinks/kafka/kafka_handle.h"
#include "sinks/kafka/kafka_owners.h"

namespace drs {

enum class KafkaEnd : std::uint8_t {
  kLogStart,
  kLogEnd,  // the last stable offset for a handle that reads committed records only, else the high watermark
};

// One offset for each partition, in their order; a partition may occur once. Errors: those of KafkaHandle::ask.
Result<std::vector<std::int64_t>> ask_kafka_ends(KafkaHandle& handle, std::span<const TopicPartition> partitions,
                                                 KafkaEnd which);

// "partition 3 of topic 'orders'".
std::string kafka_partition_text(const TopicPartition& partition);

}  // namespace drs
