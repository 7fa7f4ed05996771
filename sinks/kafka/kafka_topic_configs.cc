#include "sinks/kafka/kafka_topic_configs.h"

#include <algorithm>
#include <utility>

#include "sinks/kafka/kafka_admin.h"

namespace drs {
namespace {

#if RD_KAFKA_VERSION >= 0x020200ff
constexpr bool kIncremental = true;
#else
constexpr bool kIncremental = false;
#endif

using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, KafkaDestroy<rd_kafka_ConfigResource_destroy>>;
using ResourceList = std::pair<const rd_kafka_ConfigResource_t**, std::size_t>;

ConfigResource topic_resource(const std::string& topic) {
  return ConfigResource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
}

// The answers of brokers number sources as ours are numbered.
ConfigSource source_of(rd_kafka_ConfigSource_t source) {
  switch (source) {
    case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG: return ConfigSource::kTopic;
    case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG: return ConfigSource::kBroker;
    case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG: return ConfigSource::kClusterDefault;
    case RD_KAFKA_CONFIG_SOURCE_STATIC_BROKER_CONFIG: return ConfigSource::kStatic;
    case RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG: return ConfigSource::kDefault;
    default: return ConfigSource::kUnknown;
  }
}

ResourceList described(rd_kafka_event_t* event) {
  std::size_t count = 0;
  const rd_kafka_DescribeConfigs_result_t* const result = rd_kafka_event_DescribeConfigs_result(event);
  return {rd_kafka_DescribeConfigs_result_resources(result, &count), count};
}

ResourceList altered(rd_kafka_event_t* event) {
  std::size_t count = 0;
#if RD_KAFKA_VERSION >= 0x020200ff
  const rd_kafka_IncrementalAlterConfigs_result_t* const result = rd_kafka_event_IncrementalAlterConfigs_result(event);
  return {rd_kafka_IncrementalAlterConfigs_result_resources(result, &count), count};
#else
  const rd_kafka_AlterConfigs_result_t* const result = rd_kafka_event_AlterConfigs_result(event);
  return {rd_kafka_AlterConfigs_result_resources(result, &count), count};
#endif
}

rd_kafka_resp_err_t first_error(const ResourceList& resources) {
  if (resources.second == 0) return RD_KAFKA_RESP_ERR__BAD_MSG;
  return rd_kafka_ConfigResource_error(resources.first[0]);
}

const char* first_error_text(const ResourceList& resources) {
  const char* const text = resources.second == 0 ? nullptr : rd_kafka_ConfigResource_error_string(resources.first[0]);
  return text == nullptr ? "" : text;
}

void add_change(rd_kafka_ConfigResource_t* resource, const std::string& name, const std::optional<std::string>& value) {
#if RD_KAFKA_VERSION >= 0x020200ff
  const KafkaErrorObject refused(rd_kafka_ConfigResource_add_incremental_config(
      resource, name.c_str(), value ? RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET : RD_KAFKA_ALTER_CONFIG_OP_TYPE_DELETE,
      value ? value->c_str() : nullptr));
  DRS_ASSERT(!refused, "librdkafka refuses a change of a configuration");
#else
  if (value) rd_kafka_ConfigResource_set_config(resource, name.c_str(), value->c_str());
#endif
}

std::string setting_text(const std::string& topic) {
  return "setting configurations of topic '" + kafka_text(topic) + "'";
}

// Sends these configurations: changes, or with an older librdkafka all that the topic shall have. A refusal of the
// cluster is kUsage.
Result<void> send(KafkaHandle& handle, const std::string& topic, const KafkaConfigChanges& configs) {
  const KafkaAct act{setting_text(topic), "AlterConfigs on topic '" + kafka_text(topic) + "'"};
  const ConfigResource resource = topic_resource(topic);
  for (const auto& [name, value] : configs) add_change(resource.get(), name, value);
  rd_kafka_ConfigResource_t* list[] = {resource.get()};
  KafkaAdminCall call;
  call.act = act;
#if RD_KAFKA_VERSION >= 0x020200ff
  call.op = RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS;
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_IncrementalAlterConfigs(handle.raw(), list, 1, options, queue);
  };
#else
  call.op = RD_KAFKA_ADMIN_OP_ALTERCONFIGS;
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_AlterConfigs(handle.raw(), list, 1, options, queue);
  };
#endif
  call.item_error = [](rd_kafka_event_t* event) { return first_error(altered(event)); };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(handle, call));
  const ResourceList result = altered(event.get());
  const rd_kafka_resp_err_t error = first_error(result);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return kafka_error(error, first_error_text(result), act);
}

// Makes changes one after the other; with an older librdkafka each time beside all that the topic has.
class Changer {
 public:
  Changer(KafkaHandle& handle, const std::string& topic, KafkaConfigChanges& made)
      : handle_(handle), topic_(topic), made_(made) {}

  // Errors as change_kafka_configs.
  Result<void> prepare(const KafkaConfigChanges& changes) {
    if (kIncremental) return {};
    DRS_ASSIGN_OR_RETURN(std::vector<TopicConfig> configs, read_kafka_configs(handle_, topic_));
    configs = after_kafka_config_changes(std::move(configs), made_);
    for (const TopicConfig& config : configs) {
      if (config.source != ConfigSource::kTopic) continue;
      if (!config.value && !changes.contains(config.name))
        return Error(ErrorCode::kUsage, "topic '" + kafka_text(topic_) + "' has the sensitive configuration " +
                                            kafka_text(config.name) +
                                            ", which this librdkafka would lose: set configurations with "
                                            "kafka-configs.sh");
      current_[config.name] = config.value;
    }
    return {};
  }

  Result<void> change(const KafkaConfigChanges& changes) {
    KafkaConfigChanges all = kIncremental ? KafkaConfigChanges() : current_;
    for (const auto& [name, value] : changes) all[name] = value;
    DRS_RETURN_IF_ERROR(send(handle_, topic_, all));
    current_ = std::move(all);
    for (const auto& [name, value] : changes) made_[name] = value;
    return {};
  }

 private:
  KafkaHandle& handle_;
  const std::string& topic_;
  KafkaConfigChanges& made_;
  KafkaConfigChanges current_;
};

}  // namespace

Result<std::vector<TopicConfig>> read_kafka_configs(KafkaHandle& handle, const std::string& topic) {
  const KafkaAct act{"reading the configurations of topic '" + kafka_text(topic) + "'",
                     "DescribeConfigs on topic '" + kafka_text(topic) + "'"};
  const ConfigResource resource = topic_resource(topic);
  rd_kafka_ConfigResource_t* list[] = {resource.get()};
  KafkaAdminCall call;
  call.op = RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS;
  call.act = act;
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_DescribeConfigs(handle.raw(), list, 1, options, queue);
  };
  call.item_error = [](rd_kafka_event_t* event) { return first_error(described(event)); };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(handle, call));
  const ResourceList result = described(event.get());
  if (const rd_kafka_resp_err_t error = first_error(result); error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return kafka_error(error, first_error_text(result), act);
  std::size_t count = 0;
  const rd_kafka_ConfigEntry_t** const entries = rd_kafka_ConfigResource_configs(result.first[0], &count);
  std::vector<TopicConfig> configs;
  for (std::size_t i = 0; i < count; ++i) {
    TopicConfig config;
    config.name = rd_kafka_ConfigEntry_name(entries[i]);
    const char* const value = rd_kafka_ConfigEntry_value(entries[i]);
    if (value != nullptr && rd_kafka_ConfigEntry_is_sensitive(entries[i]) != 1) config.value = value;
    config.source = source_of(rd_kafka_ConfigEntry_source(entries[i]));
    configs.push_back(std::move(config));
  }
  std::sort(configs.begin(), configs.end(), [](const TopicConfig& a, const TopicConfig& b) { return a.name < b.name; });
  return configs;
}

std::vector<TopicConfig> after_kafka_config_changes(std::vector<TopicConfig> configs,
                                                    const KafkaConfigChanges& changes) {
  std::erase_if(configs, [&](const TopicConfig& config) {
    const auto change = changes.find(config.name);
    return change != changes.end() && (change->second || config.source == ConfigSource::kTopic);
  });
  for (const auto& [name, value] : changes)
    if (value) configs.push_back({.name = name, .value = value, .source = ConfigSource::kTopic});
  std::ranges::sort(configs, {}, &TopicConfig::name);
  return configs;
}

Result<std::vector<RefusedConfig>> change_kafka_configs(KafkaHandle& handle, const std::string& topic,
                                                        const KafkaConfigChanges& changes, KafkaConfigChanges& made) {
  std::vector<RefusedConfig> refused;
  if (changes.empty()) return refused;
  Changer changer(handle, topic, made);
  DRS_RETURN_IF_ERROR(changer.prepare(changes));
  Result<void> together = changer.change(changes);
  if (together.ok()) return refused;
  if (together.error().code != ErrorCode::kUsage) return std::move(together).error();
  for (const auto& [name, value] : changes) {
    Result<void> alone = changer.change({{name, value}});
    if (alone.ok()) continue;
    if (alone.error().code != ErrorCode::kUsage) return std::move(alone).error();
    refused.push_back({name, alone.error().message.substr(setting_text(topic).size() + 2)});  // 2: ": "
  }
  return refused;
}

}  // namespace drs
