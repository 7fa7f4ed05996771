// TopicCluster: what a cluster of brokers says about its topics and groups, and what can be changed there. Threads: one
// thread at a time; `cancel` may be called from any thread, but not from a signal handler. Every call may fail with
// kUnavailable (no answer in time), kDenied (the text names the missing right), kCancelled.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/result.h"
#include "io/base/topic.h"

namespace drs {

// The brokers' own topics, which they create themselves (Topic.java of Apache Kafka, INTERNAL_TOPICS).
inline constexpr std::string_view kInternalTopics[] = {"__consumer_offsets", "__transaction_state",
                                                       "__share_group_state"};
constexpr bool is_internal_topic(std::string_view name) {
  return std::ranges::find(kInternalTopics, name) != std::end(kInternalTopics);
}

struct ClusterTopic {
  std::string name;
  bool internal = false;  // is_internal_topic
  Uuid id;                // zeros: this client cannot ask for it
  std::uint32_t partitions = 0;
  std::uint16_t replication = 0;
  friend bool operator==(const ClusterTopic&, const ClusterTopic&) = default;
};

struct ClusterView {
  std::string id;
  std::string client;  // "librdkafka 2.0.2"
  std::uint32_t brokers = 0;
  std::vector<ClusterTopic> topics;  // sorted by name
};

struct NewTopic {
  std::string name;
  std::uint32_t partitions = 1;
  std::int32_t replication = -1;  // -1: the cluster's default
  std::map<std::string, std::string> configs;
};

// One configuration that the cluster refused, and why.
struct RefusedConfig {
  std::string name;
  std::string reason;
};

enum class GroupState : std::uint8_t { kAbsent, kEmpty, kActive };

class TopicCluster {
 public:
  virtual ~TopicCluster() = default;
  // The topics that this client may see.
  virtual Result<ClusterView> look() = 0;
  // The configurations of a topic that are not Kafka's default, sorted by name. Errors: kNotFound.
  virtual Result<std::vector<TopicConfig>> configs(const std::string& topic) = 0;
  // All configurations, with the defaults.
  virtual Result<std::vector<TopicConfig>> all_configs(const std::string& topic) = 0;
  // The names of all consumer groups, sorted.
  virtual Result<std::vector<std::string>> groups() = 0;
  // The committed offsets of a group, sorted; empty for an absent group.
  virtual Result<std::vector<GroupOffset>> group_offsets(const std::string& group) = 0;
  virtual Result<GroupState> group_state(const std::string& group) = 0;

  // Creates a topic and waits until every partition has a leader. Errors: kAlreadyExists; kUsage (the cluster refuses a
  // name, a configuration or the replication; the text quotes it).
  virtual Result<void> create(const NewTopic& topic) = 0;
  // Asks whether `create` would be refused, and changes nothing. Errors: as create.
  virtual Result<void> try_create(const NewTopic& topic) = 0;
  // Sets these configurations of a topic and leaves the others. Returns those that the cluster refused.
  virtual Result<std::vector<RefusedConfig>> set_configs(const std::string& topic,
                                                         const std::map<std::string, std::string>& configs) = 0;
  // Removes these configurations of a topic, so that the defaults hold again.
  virtual Result<std::vector<RefusedConfig>> unset_configs(const std::string& topic,
                                                           std::span<const std::string> names) = 0;
  // Sets the offsets of an empty or absent group. Errors: kBusy (the group is active).
  virtual Result<void> set_group_offsets(const std::string& group, std::span<const GroupOffset> offsets) = 0;
  // Takes offsets of an empty group away, as if it had never committed them. Errors: kBusy, kNotFound (no such group).
  virtual Result<void> delete_group_offsets(const std::string& group, std::span<const TopicPartition> partitions) = 0;
  // Makes a waiting or later call return kCancelled soon.
  virtual void cancel() = 0;
};

}  // namespace drs
