// How a memory bound of a reader becomes limits of librdkafka.
#pragma once

#include <cstdint>
#include <vector>

#include "sinks/kafka/kafka_handle.h"

namespace drs {

struct KafkaFetchLimits {
  std::uint64_t queued_value_bytes = 0;
  std::uint64_t queued_messages = 0;
  std::uint64_t fetch_bytes = 0;  // of one answer of a broker
};

// The bound is the sum of: values that wait in the queue; what librdkafka keeps beside each of them, 460 bytes; and for
// each broker an answer, of `fetch_bytes`, whose batches expand up to twelve times when they are decompressed. A batch
// that is larger or expands more exceeds the bound.
KafkaFetchLimits kafka_fetch_limits(std::uint64_t memory_bytes, std::uint32_t brokers);

std::vector<KafkaHandle::Own> fetch_settings(const KafkaFetchLimits& limits);

}  // namespace drs
