// KafkaCluster: a TopicCluster on librdkafka's admin API. Topic ids are known if the loaded librdkafka is 2.3 or later.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/topic_cluster.h"
#include "sinks/kafka/kafka_handle.h"
#include "sinks/kafka/kafka_topic_configs.h"

namespace drs {

// Of the librdkafka that was loaded, such as "2.0.2".
std::string kafka_client_version();

class KafkaCluster final : public TopicCluster {
 public:
  struct Options {
    KafkaClientOptions client;
  };

  // Errors: kUsage; kDenied (the login fails); kUnavailable; kCancelled.
  static Result<std::unique_ptr<TopicCluster>> connect(const KafkaSettings& settings, const Options& options);

  Result<ClusterView> look() override;
  Result<std::vector<TopicConfig>> configs(const std::string& topic) override;
  Result<std::vector<TopicConfig>> all_configs(const std::string& topic) override;
  Result<std::vector<std::string>> groups() override;
  Result<std::vector<GroupOffset>> group_offsets(const std::string& group) override;
  Result<GroupState> group_state(const std::string& group) override;

  Result<void> create(const NewTopic& topic) override;
  Result<void> try_create(const NewTopic& topic) override { return request_creation(topic, true); }
  Result<std::vector<RefusedConfig>> set_configs(const std::string& topic,
                                                 const std::map<std::string, std::string>& configs) override;
  Result<std::vector<RefusedConfig>> unset_configs(const std::string& topic,
                                                   std::span<const std::string> names) override;
  Result<void> set_group_offsets(const std::string& group, std::span<const GroupOffset> offsets) override;
  Result<void> delete_group_offsets(const std::string& group, std::span<const TopicPartition> partitions) override;
  void cancel() override { handle_->cancel(); }

 private:
  explicit KafkaCluster(std::unique_ptr<KafkaHandle> handle) : handle_(std::move(handle)) {}
  Result<void> request_creation(const NewTopic& topic, bool validate_only);
  Result<void> await_leaders(const NewTopic& topic);

  std::unique_ptr<KafkaHandle> handle_;
  std::map<std::string, KafkaConfigChanges> config_changes_;  // by topic: what was set here
};

}  // namespace drs
