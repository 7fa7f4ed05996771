// The ids of topics, where librdkafka can ask for them. Internal to this folder.
#pragma once

#include <vector>

#include "io/topic_cluster.h"
#include "sinks/kafka/kafka_handle.h"

namespace drs {

// Fills in `id` and `internal`. librdkafka before 2.3 cannot ask: both stay as they are.
Result<void> fill_kafka_topic_ids(KafkaHandle& handle, std::vector<ClusterTopic>& topics);

}  // namespace drs
