#include "sinks/kafka/kafka_metadata.h"

namespace drs {
namespace {

rd_kafka_resp_err_t request(KafkaHandle& handle, bool all, rd_kafka_topic_t* topic, int timeout_ms,
                            KafkaMetadata& metadata) {
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(handle.raw(), all ? 1 : 0, topic, &answer, timeout_ms);
  metadata.reset(answer);
  return error;
}

}  // namespace

Result<KafkaMetadata> ask_kafka_metadata(KafkaHandle& handle, const KafkaAct& act, KafkaTopicsAsked which) {
  KafkaMetadata metadata;
  DRS_RETURN_IF_ERROR(handle.ask(act, [&](int timeout_ms) {
    return request(handle, which == KafkaTopicsAsked::kAll, nullptr, timeout_ms, metadata);
  }));
  return metadata;
}

Result<KafkaMetadata> ask_kafka_metadata(KafkaHandle& handle, const KafkaAct& act, rd_kafka_topic_t* topic) {
  KafkaMetadata metadata;
  DRS_RETURN_IF_ERROR(handle.ask(act, [&](int timeout_ms) {
    const rd_kafka_resp_err_t error = request(handle, false, topic, timeout_ms, metadata);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
    return metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  }));
  return metadata;
}

Result<void> await_kafka_brokers(KafkaHandle& handle) {
  DRS_ASSIGN_OR_RETURN(const KafkaMetadata metadata,
                       ask_kafka_metadata(handle, {"connecting to Kafka", {}}, KafkaTopicsAsked::kNone));
  return {};
}

Result<std::uint32_t> ask_kafka_partitions(KafkaHandle& handle, const KafkaAct& act, rd_kafka_topic_t* topic) {
  DRS_ASSIGN_OR_RETURN(const KafkaMetadata metadata, ask_kafka_metadata(handle, act, topic));
  return static_cast<std::uint32_t>(metadata->topics[0].partition_cnt);
}

Result<void> check_kafka_partition(KafkaHandle& handle, const KafkaAct& act, const TopicPartition& partition) {
  const KafkaTopic topic(rd_kafka_topic_new(handle.raw(), partition.topic.c_str(), nullptr));
  if (!topic) return kafka_error(rd_kafka_last_error(), {}, act);
  DRS_ASSIGN_OR_RETURN(const std::uint32_t partitions, ask_kafka_partitions(handle, act, topic.get()));
  if (partition.partition < partitions) return {};
  return kafka_error(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, {}, act);
}

}  // namespace drs
