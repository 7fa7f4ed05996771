#include "sinks/kafka/kafka_cluster.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "sinks/kafka/kafka_admin.h"
#include "sinks/kafka/kafka_ends.h"
#include "sinks/kafka/kafka_groups.h"
#include "sinks/kafka/kafka_metadata.h"
#include "sinks/kafka/kafka_topic_configs.h"
#include "sinks/kafka/kafka_topic_ids.h"

namespace drs {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLeaderInterval{100};

using CreateRequest = std::unique_ptr<rd_kafka_NewTopic_t, KafkaDestroy<rd_kafka_NewTopic_destroy>>;

Result<std::string> ask_cluster_id(KafkaHandle& handle, const KafkaAct& act) {
  std::string id;
  DRS_RETURN_IF_ERROR(handle.ask(act, [&](int timeout_ms) {
    char* const answer = rd_kafka_clusterid(handle.raw(), timeout_ms);
    if (answer == nullptr) return RD_KAFKA_RESP_ERR__TIMED_OUT;
    id = answer;
    rd_kafka_mem_free(handle.raw(), answer);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }));
  return id;
}

ClusterTopic topic_of(const rd_kafka_metadata_topic& topic) {
  ClusterTopic out;
  out.name = topic.topic;
  out.internal = is_internal_topic(out.name);
  out.partitions = static_cast<std::uint32_t>(topic.partition_cnt);
  for (int i = 0; i < topic.partition_cnt; ++i)
    out.replication = std::max(out.replication, static_cast<std::uint16_t>(topic.partitions[i].replica_cnt));
  return out;
}

bool has_leaders(const rd_kafka_metadata_topic& topic, std::uint32_t partitions) {
  return topic.partition_cnt == static_cast<int>(partitions) &&
         std::all_of(topic.partitions, topic.partitions + topic.partition_cnt,
                     [](const rd_kafka_metadata_partition& one) { return one.leader >= 0; });
}

}  // namespace

Result<std::unique_ptr<TopicCluster>> KafkaCluster::connect(const KafkaSettings& settings, const Options& options) {
  KafkaHandle::Options handle;
  handle.own.push_back({"message.max.bytes", "1000000"});
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<KafkaHandle> opened, KafkaHandle::open(settings, options.client, handle));
  DRS_RETURN_IF_ERROR(await_kafka_brokers(*opened));
  return std::unique_ptr<TopicCluster>(new KafkaCluster(std::move(opened)));
}

std::string kafka_client_version() {
  return rd_kafka_version_str();
}

Result<ClusterView> KafkaCluster::look() {
  const KafkaAct act{"listing topics", "Describe on the topics"};
  ClusterView view;
  view.client = "librdkafka " + kafka_client_version();
  DRS_ASSIGN_OR_RETURN(view.id, ask_cluster_id(*handle_, act));
  DRS_ASSIGN_OR_RETURN(const KafkaMetadata metadata, ask_kafka_metadata(*handle_, act, KafkaTopicsAsked::kAll));
  view.brokers = static_cast<std::uint32_t>(metadata->broker_cnt);
  for (int i = 0; i < metadata->topic_cnt; ++i) view.topics.push_back(topic_of(metadata->topics[i]));
  std::sort(view.topics.begin(), view.topics.end(),
            [](const ClusterTopic& a, const ClusterTopic& b) { return a.name < b.name; });
  DRS_RETURN_IF_ERROR(fill_kafka_topic_ids(*handle_, view.topics));
  return view;
}

Result<std::vector<TopicConfig>> KafkaCluster::configs(const std::string& topic) {
  DRS_ASSIGN_OR_RETURN(std::vector<TopicConfig> configs, read_kafka_configs(*handle_, topic));
  std::erase_if(configs, [](const TopicConfig& config) { return config.source == ConfigSource::kDefault; });
  const auto changed = config_changes_.find(topic);
  return changed == config_changes_.end() ? configs : after_kafka_config_changes(std::move(configs), changed->second);
}

Result<std::vector<TopicConfig>> KafkaCluster::all_configs(const std::string& topic) {
  return read_kafka_configs(*handle_, topic);
}

Result<std::vector<std::string>> KafkaCluster::groups() {
  return list_kafka_groups(*handle_);
}

Result<std::vector<GroupOffset>> KafkaCluster::group_offsets(const std::string& group) {
  return read_kafka_group_offsets(*handle_, group);
}

Result<GroupState> KafkaCluster::group_state(const std::string& group) {
  return read_kafka_group_state(*handle_, group);
}

Result<void> KafkaCluster::create(const NewTopic& topic) {
  DRS_RETURN_IF_ERROR(request_creation(topic, false));
  return await_leaders(topic);
}

Result<void> KafkaCluster::request_creation(const NewTopic& topic, bool validate_only) {
  const KafkaAct act{"creating topic '" + kafka_text(topic.name) + "'",
                     "Create on topic '" + kafka_text(topic.name) + "' or on the cluster"};
  std::array<char, 512> text{};
  const CreateRequest request(rd_kafka_NewTopic_new(topic.name.c_str(), static_cast<int>(topic.partitions),
                                                    topic.replication, text.data(), text.size()));
  if (!request) return kafka_error(RD_KAFKA_RESP_ERR__INVALID_ARG, text.data(), act);
  for (const auto& [name, value] : topic.configs)
    rd_kafka_NewTopic_set_config(request.get(), name.c_str(), value.c_str());
  rd_kafka_NewTopic_t* list[] = {request.get()};
  const auto result_of = [](rd_kafka_event_t* event) {
    std::size_t count = 0;
    const rd_kafka_topic_result_t** const topics =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    return count == 0 ? nullptr : topics[0];
  };
  KafkaAdminCall call;
  call.op = RD_KAFKA_ADMIN_OP_CREATETOPICS;
  call.act = act;
  call.validate_only = validate_only;
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_CreateTopics(handle_->raw(), list, 1, options, queue);
  };
  call.item_error = [&](rd_kafka_event_t* event) {
    const rd_kafka_topic_result_t* const result = result_of(event);
    return result == nullptr ? RD_KAFKA_RESP_ERR__BAD_MSG : rd_kafka_topic_result_error(result);
  };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(*handle_, call));
  if (const rd_kafka_resp_err_t error = call.item_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const rd_kafka_topic_result_t* const result = result_of(event.get());
    const char* const why = result == nullptr ? nullptr : rd_kafka_topic_result_error_string(result);
    return kafka_error(error, why == nullptr ? "" : why, act);
  }
  return {};
}

Result<void> KafkaCluster::await_leaders(const NewTopic& topic) {
  const KafkaAct act{"waiting for the leaders of topic '" + kafka_text(topic.name) + "'",
                     "Describe on topic '" + kafka_text(topic.name) + "'"};
  const KafkaTopic handle(rd_kafka_topic_new(handle_->raw(), topic.name.c_str(), nullptr));
  if (!handle) return kafka_error(rd_kafka_last_error(), {}, act);
  const Steady::time_point deadline = Steady::now() + handle_->unavailable_after();
  while (true) {
    const Result<KafkaMetadata> asked = ask_kafka_metadata(*handle_, act, handle.get());
    // For a moment a broker may not know what the controller has created.
    const bool unknown = !asked.ok() && asked.error().code == ErrorCode::kNotFound;
    if (!asked.ok() && !unknown) return asked.error();
    if (asked.ok() && has_leaders((*asked)->topics[0], topic.partitions)) return {};
    if (Steady::now() >= deadline)
      return unknown ? asked.error() : kafka_error(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, {}, act);
    if (handle_->cancelled()) return KafkaHandle::cancelled_error();
    std::this_thread::sleep_for(kLeaderInterval);
  }
}

Result<std::vector<RefusedConfig>> KafkaCluster::set_configs(const std::string& topic,
                                                             const std::map<std::string, std::string>& configs) {
  return change_kafka_configs(*handle_, topic, {configs.begin(), configs.end()}, config_changes_[topic]);
}

Result<std::vector<RefusedConfig>> KafkaCluster::unset_configs(const std::string& topic,
                                                               std::span<const std::string> names) {
  KafkaConfigChanges changes;
  for (const std::string& name : names) changes[name] = std::nullopt;
  return change_kafka_configs(*handle_, topic, changes, config_changes_[topic]);
}

Result<void> KafkaCluster::set_group_offsets(const std::string& group, std::span<const GroupOffset> offsets) {
  return set_kafka_group_offsets(*handle_, group, offsets);
}

Result<void> KafkaCluster::delete_group_offsets(const std::string& group, std::span<const TopicPartition> partitions) {
  return delete_kafka_group_offsets(*handle_, group, partitions);
}

}  // namespace drs
