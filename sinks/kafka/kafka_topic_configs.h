// The configurations of a topic: reads and changes them. Internal to this folder.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/topic_cluster.h"
#include "sinks/kafka/kafka_handle.h"

namespace drs {

// All of them, with the defaults, sorted by name. Errors: kNotFound, kDenied, kUnavailable, kCancelled.
Result<std::vector<TopicConfig>> read_kafka_configs(KafkaHandle& handle, const std::string& topic);

// New values of configurations; none: it is removed.
using KafkaConfigChanges = std::map<std::string, std::optional<std::string>>;

// The topic's own configurations after these changes, of which the broker that was asked may know none yet: brokers
// learn of a change after the cluster has answered it.
std::vector<TopicConfig> after_kafka_config_changes(std::vector<TopicConfig> configs,
                                                    const KafkaConfigChanges& changes);

// Makes the changes and leaves all other configurations of the topic. Returns those that the cluster refused: if it
// refuses them together, they are tried one by one. `made`: all changes that this client has made to the topic before;
// gets these, too.
//
// librdkafka before 2.2 can only replace all configurations of a topic, so they are read first; one that another client
// sets in between is lost. Errors: those of reading; kUsage (a sensitive configuration is set, which cannot be read).
Result<std::vector<RefusedConfig>> change_kafka_configs(KafkaHandle& handle, const std::string& topic,
                                                        const KafkaConfigChanges& changes, KafkaConfigChanges& made);

}  // namespace drs
