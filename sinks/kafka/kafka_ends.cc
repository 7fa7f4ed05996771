#include "sinks/kafka/kafka_ends.h"

#include <utility>

namespace drs {
namespace {

// What ListOffsets takes instead of a time (Kafka's protocol guide, "ListOffsets").
constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;

std::string act_text(std::span<const TopicPartition> partitions) {
  if (partitions.size() == 1) return "asking for the ends of " + kafka_partition_text(partitions.front());
  return "asking for the ends of " + std::to_string(partitions.size()) + " partitions";
}

}  // namespace

std::string kafka_partition_text(const TopicPartition& partition) {
  return "partition " + std::to_string(partition.partition) + " of topic '" + kafka_text(partition.topic) + "'";
}

Result<std::vector<std::int64_t>> ask_kafka_ends(KafkaHandle& handle, std::span<const TopicPartition> partitions,
                                                 KafkaEnd which) {
  std::vector<std::int64_t> ends;
  if (partitions.empty()) return ends;
  KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& partition : partitions)
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(),
                                      static_cast<std::int32_t>(partition.partition));
  const TopicPartition* refused = &partitions.front();
  // The whole list is asked again until every partition has answered.
  const auto request = [&](int timeout_ms) {
    for (int i = 0; i < list->cnt; ++i) {
      list->elems[i].offset = which == KafkaEnd::kLogEnd ? kLatest : kEarliest;
      list->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    const rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(handle.raw(), list.get(), timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      const rd_kafka_topic_partition_t& answer = list->elems[i];
      refused = &partitions[i];
      if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR) return answer.err;
      if (answer.offset < 0) return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  };
  const KafkaAct act{act_text(partitions), "Describe on their topics"};
  if (Result<void> asked = handle.ask(act, request); !asked.ok()) {
    const bool of_one = asked.error().code == ErrorCode::kNotFound || asked.error().code == ErrorCode::kDenied;
    if (partitions.size() == 1 || !of_one) return std::move(asked).error();
    return std::move(asked).error().with_context(kafka_partition_text(*refused));
  }
  for (int i = 0; i < list->cnt; ++i) ends.push_back(list->elems[i].offset);
  return ends;
}

}  // namespace drs
