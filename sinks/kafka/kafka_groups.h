// Consumer groups. librdkafka 2.0 asks for one group in a call. Internal to this folder.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/topic_cluster.h"
#include "sinks/kafka/kafka_handle.h"

namespace drs {

// As TopicCluster has them.
Result<std::vector<std::string>> list_kafka_groups(KafkaHandle& handle);
Result<std::vector<GroupOffset>> read_kafka_group_offsets(KafkaHandle& handle, const std::string& group);
Result<GroupState> read_kafka_group_state(KafkaHandle& handle, const std::string& group);
Result<void> set_kafka_group_offsets(KafkaHandle& handle, const std::string& group,
                                     std::span<const GroupOffset> offsets);
Result<void> delete_kafka_group_offsets(KafkaHandle& handle, const std::string& group,
                                        std::span<const TopicPartition> partitions);

}  // namespace drs
