// Topics of Kafka: partitions, configurations, offsets of consumer groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/base/bytes.h"

namespace drs {

struct TopicPartition {
  std::string topic;
  std::uint32_t partition = 0;
  friend bool operator==(const TopicPartition&, const TopicPartition&) = default;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// Stored (FORMAT.md "Topic catalogue"): where the value of a configuration comes from, as Kafka's protocol numbers it.
enum class ConfigSource : std::uint8_t {
  kUnknown = 0,
  kTopic = 1,           // set for this topic
  kBroker = 2,          // set for this broker, at run time
  kClusterDefault = 3,  // set for all brokers, at run time
  kStatic = 4,          // in the broker's properties file
  kDefault = 5,         // of Kafka; never stored
};

struct TopicConfig {
  std::string name;
  std::optional<std::string> value;  // absent: sensitive, so the broker does not return it
  ConfigSource source = ConfigSource::kTopic;
  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};

// The next offset that a consumer group will read.
struct GroupOffset {
  TopicPartition partition;
  std::int64_t offset = 0;
  std::string metadata;
  friend bool operator==(const GroupOffset&, const GroupOffset&) = default;
};

}  // namespace drs
