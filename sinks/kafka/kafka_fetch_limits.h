// How a memory bound of a reader becomes limits of librdkafka.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sinks/kafka/kafka_handle.h"

namespace drs {

struct KafkaFetchLimits {
  std::uint64_t queued_value_bytes = 0;
  std::uint64_t queued_messages = 0;
  std::uint64_t fetch_bytes = 0;  // of one answer of a broker
};

// How many times as large batches become when they are decompressed: what is always allowed for, and what is before
// anything was measured.
inline constexpr double kKafkaExpansion = 12;
inline constexpr double kKafkaExpansionAtFirst = 50;

// The bound is the sum of: values that wait in the queue; what librdkafka keeps beside each of them, 460 bytes; and for
// each broker an answer of `fetch_bytes`, compressed and expanded. A single batch that is larger exceeds the bound.
KafkaFetchLimits kafka_fetch_limits(std::uint64_t memory_bytes, std::uint32_t brokers,
                                    double expansion = kKafkaExpansion);

std::vector<KafkaHandle::Own> fetch_settings(const KafkaFetchLimits& limits);

// Measures the expansion from librdkafka's statistics.
class KafkaExpansion {
 public:
  // `statistics`: a JSON document of librdkafka (the statistics), of which two numbers are read.
  void note(std::string_view statistics);
  // That of the last interval in which enough came to tell; none before.
  [[nodiscard]] std::optional<double> value() const { return value_; }

 private:
  std::uint64_t received_bytes_ = 0;  // up to the last interval
  std::uint64_t message_bytes_ = 0;
  std::optional<double> value_;
};

}  // namespace drs
