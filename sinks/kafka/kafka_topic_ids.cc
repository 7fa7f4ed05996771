#include "sinks/kafka/kafka_topic_ids.h"

#include <algorithm>
#include <cstddef>

#include "sinks/kafka/kafka_admin.h"

namespace drs {

#if RD_KAFKA_VERSION >= 0x020300ff

namespace {

constexpr std::size_t kTopicsInARequest = 1000;

using TopicCollection = std::unique_ptr<rd_kafka_TopicCollection_t, KafkaDestroy<rd_kafka_TopicCollection_destroy>>;

Uuid uuid_of(const rd_kafka_Uuid_t* id) {
  Uuid out;
  if (id == nullptr) return out;
  const std::uint64_t halves[] = {static_cast<std::uint64_t>(rd_kafka_Uuid_most_significant_bits(id)),
                                  static_cast<std::uint64_t>(rd_kafka_Uuid_least_significant_bits(id))};
  for (std::size_t i = 0; i < Uuid::kBytes; ++i) out.data[i] = static_cast<Byte>(halves[i / 8] >> (8 * (7 - i % 8)));
  return out;
}

Result<void> fill(KafkaHandle& handle, std::span<ClusterTopic> topics) {
  std::vector<const char*> names;
  for (const ClusterTopic& topic : topics) names.push_back(topic.name.c_str());
  const TopicCollection collection(rd_kafka_TopicCollection_of_topic_names(names.data(), names.size()));
  KafkaAdminCall call;
  call.op = RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
  call.act = {"describing topics", "Describe on the topics"};
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_DescribeTopics(handle.raw(), collection.get(), options, queue);
  };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(handle, call));
  std::size_t count = 0;
  const rd_kafka_TopicDescription_t** const described =
      rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = rd_kafka_TopicDescription_name(described[i]);
    const auto topic = std::find_if(topics.begin(), topics.end(), [&](const auto& one) { return one.name == name; });
    // One that was deleted meanwhile keeps zeros.
    if (topic == topics.end() || rd_kafka_TopicDescription_error(described[i]) != nullptr) continue;
    topic->id = uuid_of(rd_kafka_TopicDescription_topic_id(described[i]));
    topic->internal = topic->internal || rd_kafka_TopicDescription_is_internal(described[i]) != 0;
  }
  return {};
}

}  // namespace

Result<void> fill_kafka_topic_ids(KafkaHandle& handle, std::vector<ClusterTopic>& topics) {
  const std::span<ClusterTopic> all(topics);
  for (std::size_t from = 0; from < all.size(); from += kTopicsInARequest)
    DRS_RETURN_IF_ERROR(fill(handle, all.subspan(from, std::min(kTopicsInARequest, all.size() - from))));
  return {};
}

#else

Result<void> fill_kafka_topic_ids(KafkaHandle&, std::vector<ClusterTopic>&) {
  return {};
}

#endif

}  // namespace drs
