#include "sinks/kafka/kafka_topic_ids.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "sinks/kafka/kafka_admin.h"

namespace drs {
namespace {

constexpr std::size_t kTopicsInARequest = 1000;

// What librdkafka has since 2.3. It is looked up in the library that was loaded, which is often newer than the one
// whose header the program was compiled with. Its types are opaque, as in that header.
struct TopicDescriber {
  void* (*collection_of)(const char** names, std::size_t count) = nullptr;
  void (*destroy_collection)(void* collection) = nullptr;
  void (*describe)(rd_kafka_t* client, const void* collection, const rd_kafka_AdminOptions_t* options,
                   rd_kafka_queue_t* queue) = nullptr;
  const void* (*result_of)(rd_kafka_event_t* event) = nullptr;
  const void** (*topics_of)(const void* result, std::size_t* count) = nullptr;
  const char* (*name_of)(const void* topic) = nullptr;
  const rd_kafka_error_t* (*error_of)(const void* topic) = nullptr;
  int (*is_internal)(const void* topic) = nullptr;
  const void* (*id_of)(const void* topic) = nullptr;
  std::int64_t (*high_bits_of)(const void* id) = nullptr;
  std::int64_t (*low_bits_of)(const void* id) = nullptr;
};

template <typename Function>
bool find_function(const char* name, Function& out) {
  out = reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
  return out != nullptr;
}

std::optional<TopicDescriber> find_describer() {
  TopicDescriber out;
  const bool found = find_function("rd_kafka_TopicCollection_of_topic_names", out.collection_of) &&
                     find_function("rd_kafka_TopicCollection_destroy", out.destroy_collection) &&
                     find_function("rd_kafka_DescribeTopics", out.describe) &&
                     find_function("rd_kafka_event_DescribeTopics_result", out.result_of) &&
                     find_function("rd_kafka_DescribeTopics_result_topics", out.topics_of) &&
                     find_function("rd_kafka_TopicDescription_name", out.name_of) &&
                     find_function("rd_kafka_TopicDescription_error", out.error_of) &&
                     find_function("rd_kafka_TopicDescription_is_internal", out.is_internal) &&
                     find_function("rd_kafka_TopicDescription_topic_id", out.id_of) &&
                     find_function("rd_kafka_Uuid_most_significant_bits", out.high_bits_of) &&
                     find_function("rd_kafka_Uuid_least_significant_bits", out.low_bits_of);
  return found ? std::optional(out) : std::nullopt;
}

Uuid uuid_of(const TopicDescriber& describer, const void* id) {
  Uuid out;
  if (id == nullptr) return out;
  const std::uint64_t halves[] = {static_cast<std::uint64_t>(describer.high_bits_of(id)),
                                  static_cast<std::uint64_t>(describer.low_bits_of(id))};
  for (std::size_t i = 0; i < Uuid::kBytes; ++i) out.data[i] = static_cast<Byte>(halves[i / 8] >> (8 * (7 - i % 8)));
  return out;
}

Result<void> fill(KafkaHandle& handle, const TopicDescriber& describer, std::span<ClusterTopic> topics) {
  std::vector<const char*> names;
  for (const ClusterTopic& topic : topics) names.push_back(topic.name.c_str());
  const std::unique_ptr<void, void (*)(void*)> collection(describer.collection_of(names.data(), names.size()),
                                                          describer.destroy_collection);
  KafkaAdminCall call;  // its kind has no name in an older header
  call.act = {"describing topics", "Describe on the topics"};
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    describer.describe(handle.raw(), collection.get(), options, queue);
  };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(handle, call));
  std::size_t count = 0;
  const void** const described = describer.topics_of(describer.result_of(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = describer.name_of(described[i]);
    const auto topic = std::find_if(topics.begin(), topics.end(), [&](const auto& one) { return one.name == name; });
    // One that was deleted meanwhile keeps zeros.
    if (topic == topics.end() || describer.error_of(described[i]) != nullptr) continue;
    topic->id = uuid_of(describer, describer.id_of(described[i]));
    topic->internal = topic->internal || describer.is_internal(described[i]) != 0;
  }
  return {};
}

}  // namespace

Result<void> fill_kafka_topic_ids(KafkaHandle& handle, std::vector<ClusterTopic>& topics) {
  static const std::optional<TopicDescriber> describer = find_describer();
  if (!describer) return {};
  const std::span<ClusterTopic> all(topics);
  for (std::size_t from = 0; from < all.size(); from += kTopicsInARequest) {
    const std::size_t count = std::min(kTopicsInARequest, all.size() - from);
    DRS_RETURN_IF_ERROR(fill(handle, *describer, all.subspan(from, count)));
  }
  return {};
}

}  // namespace drs
