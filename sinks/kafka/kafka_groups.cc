#include "sinks/kafka/kafka_groups.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "sinks/kafka/kafka_admin.h"

namespace drs {
namespace {

using ListOffsetsRequest =
    std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, KafkaDestroy<rd_kafka_ListConsumerGroupOffsets_destroy>>;
using AlterOffsetsRequest =
    std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t, KafkaDestroy<rd_kafka_AlterConsumerGroupOffsets_destroy>>;

using DeleteOffsetsRequest =
    std::unique_ptr<rd_kafka_DeleteConsumerGroupOffsets_t, KafkaDestroy<rd_kafka_DeleteConsumerGroupOffsets_destroy>>;

rd_kafka_resp_err_t code_of(const rd_kafka_error_t* error) {
  return error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
}

const char* text_of(const rd_kafka_error_t* error) {
  return error == nullptr ? "" : rd_kafka_error_string(error);
}

KafkaAct group_act(const std::string& what, const std::string& right, const std::string& group) {
  return {what + " group '" + kafka_text(group) + "'", right + " on group '" + kafka_text(group) + "'"};
}

const rd_kafka_group_result_t* listed(rd_kafka_event_t* event) {
  std::size_t count = 0;
  const rd_kafka_group_result_t** const groups =
      rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
  return count == 0 ? nullptr : groups[0];
}

const rd_kafka_group_result_t* altered(rd_kafka_event_t* event) {
  std::size_t count = 0;
  const rd_kafka_group_result_t** const groups =
      rd_kafka_AlterConsumerGroupOffsets_result_groups(rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
  return count == 0 ? nullptr : groups[0];
}

const rd_kafka_group_result_t* deleted(rd_kafka_event_t* event) {
  std::size_t count = 0;
  const rd_kafka_group_result_t** const groups = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
      rd_kafka_event_DeleteConsumerGroupOffsets_result(event), &count);
  return count == 0 ? nullptr : groups[0];
}

const rd_kafka_ConsumerGroupDescription_t* described(rd_kafka_event_t* event) {
  std::size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t** const groups =
      rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event), &count);
  return count == 0 ? nullptr : groups[0];
}

// The first error of a partition; `place` names it.
rd_kafka_resp_err_t partition_error(const rd_kafka_group_result_t* group, std::string* place) {
  const rd_kafka_topic_partition_list_t* const list = rd_kafka_group_result_partitions(group);
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    if (list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    if (place != nullptr)
      *place = "partition " + std::to_string(list->elems[i].partition) + " of topic '" +
               kafka_text(list->elems[i].topic) + "': " + rd_kafka_err2str(list->elems[i].err);
    return list->elems[i].err;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t group_error(const rd_kafka_group_result_t* group) {
  if (group == nullptr) return RD_KAFKA_RESP_ERR__BAD_MSG;
  const rd_kafka_resp_err_t whole = code_of(rd_kafka_group_result_error(group));
  return whole != RD_KAFKA_RESP_ERR_NO_ERROR ? whole : partition_error(group, nullptr);
}

// The error of a result, with its text.
Result<void> verdict(const rd_kafka_group_result_t* group, const KafkaAct& act) {
  const rd_kafka_resp_err_t error = group_error(group);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  std::string text;
  if (group != nullptr && rd_kafka_group_result_error(group) != nullptr)
    text = text_of(rd_kafka_group_result_error(group));
  else if (group != nullptr)
    partition_error(group, &text);
  return kafka_error(error, text, act);
}

std::string metadata_of(const rd_kafka_topic_partition_t& partition) {
  if (partition.metadata == nullptr) return {};
  return {static_cast<const char*>(partition.metadata), partition.metadata_size};
}

// librdkafka frees the metadata of a partition with free().
void set_metadata(rd_kafka_topic_partition_t& partition, const std::string& metadata) {
  if (metadata.empty()) return;
  partition.metadata = std::malloc(metadata.size());
  DRS_ASSERT(partition.metadata != nullptr, "out of memory");
  std::memcpy(partition.metadata, metadata.data(), metadata.size());
  partition.metadata_size = metadata.size();
}

}  // namespace

Result<std::vector<std::string>> list_kafka_groups(KafkaHandle& handle) {
  KafkaAdminCall call;
  call.op = RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS;
  call.act = {"listing consumer groups", "Describe on the groups or the cluster"};
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_ListConsumerGroups(handle.raw(), options, queue);
  };
  const auto failures = [](rd_kafka_event_t* event) {
    std::size_t count = 0;
    const rd_kafka_error_t** const errors =
        rd_kafka_ListConsumerGroups_result_errors(rd_kafka_event_ListConsumerGroups_result(event), &count);
    return count == 0 ? nullptr : errors[0];
  };
  call.item_error = [&](rd_kafka_event_t* event) { return code_of(failures(event)); };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(handle, call));
  // Each broker lists the groups that it coordinates: where one fails, groups are missing.
  if (const rd_kafka_error_t* const failure = failures(event.get()))
    return kafka_error(code_of(failure), text_of(failure), call.act);
  std::size_t count = 0;
  const rd_kafka_ConsumerGroupListing_t** const listings =
      rd_kafka_ListConsumerGroups_result_valid(rd_kafka_event_ListConsumerGroups_result(event.get()), &count);
  std::vector<std::string> groups;
  for (std::size_t i = 0; i < count; ++i) groups.emplace_back(rd_kafka_ConsumerGroupListing_group_id(listings[i]));
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

Result<std::vector<GroupOffset>> read_kafka_group_offsets(KafkaHandle& handle, const std::string& group) {
  const ListOffsetsRequest request(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  rd_kafka_ListConsumerGroupOffsets_t* list[] = {request.get()};
  KafkaAdminCall call;
  call.op = RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS;
  call.act = group_act("reading the offsets of", "Describe", group);
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_ListConsumerGroupOffsets(handle.raw(), list, 1, options, queue);
  };
  call.item_error = [](rd_kafka_event_t* event) { return group_error(listed(event)); };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(handle, call));
  const rd_kafka_group_result_t* const result = listed(event.get());
  Result<void> judged = verdict(result, call.act);
  std::vector<GroupOffset> offsets;
  if (!judged.ok()) {
    if (judged.error().code == ErrorCode::kNotFound) return offsets;
    return std::move(judged).error();
  }
  const rd_kafka_topic_partition_list_t* const partitions = rd_kafka_group_result_partitions(result);
  for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
    const rd_kafka_topic_partition_t& one = partitions->elems[i];
    if (one.offset < 0) continue;  // nothing committed
    offsets.push_back({{one.topic, static_cast<std::uint32_t>(one.partition)}, one.offset, metadata_of(one)});
  }
  std::sort(offsets.begin(), offsets.end(),
            [](const GroupOffset& a, const GroupOffset& b) { return a.partition < b.partition; });
  return offsets;
}

Result<GroupState> read_kafka_group_state(KafkaHandle& handle, const std::string& group) {
  const char* names[] = {group.c_str()};
  KafkaAdminCall call;
  call.op = RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
  call.act = group_act("describing", "Describe", group);
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_DescribeConsumerGroups(handle.raw(), names, 1, options, queue);
  };
  const auto error_of = [](rd_kafka_event_t* event) {
    const rd_kafka_ConsumerGroupDescription_t* const one = described(event);
    return one == nullptr ? nullptr : rd_kafka_ConsumerGroupDescription_error(one);
  };
  call.item_error = [&](rd_kafka_event_t* event) { return code_of(error_of(event)); };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(handle, call));
  const rd_kafka_error_t* const error = error_of(event.get());
  if (code_of(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return GroupState::kAbsent;
  if (error != nullptr) return kafka_error(code_of(error), text_of(error), call.act);
  if (described(event.get()) == nullptr) return kafka_error(RD_KAFKA_RESP_ERR__BAD_MSG, {}, call.act);
  switch (rd_kafka_ConsumerGroupDescription_state(described(event.get()))) {
    case RD_KAFKA_CONSUMER_GROUP_STATE_DEAD: return GroupState::kAbsent;
    case RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY: return GroupState::kEmpty;
    default: return GroupState::kActive;
  }
}

Result<void> set_kafka_group_offsets(KafkaHandle& handle, const std::string& group,
                                     std::span<const GroupOffset> offsets) {
  if (offsets.empty()) return {};
  const KafkaPartitions partitions(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const GroupOffset& one : offsets) {
    rd_kafka_topic_partition_t* const entry = rd_kafka_topic_partition_list_add(
        partitions.get(), one.partition.topic.c_str(), static_cast<std::int32_t>(one.partition.partition));
    entry->offset = one.offset;
    set_metadata(*entry, one.metadata);
  }
  const AlterOffsetsRequest request(rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), partitions.get()));
  rd_kafka_AlterConsumerGroupOffsets_t* list[] = {request.get()};
  KafkaAdminCall call;
  call.op = RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS;
  call.act = group_act("setting the offsets of", "Read", group);
  call.act.right += " and on its topics";
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_AlterConsumerGroupOffsets(handle.raw(), list, 1, options, queue);
  };
  call.item_error = [](rd_kafka_event_t* event) { return group_error(altered(event)); };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(handle, call));
  return verdict(altered(event.get()), call.act);
}

Result<void> delete_kafka_group_offsets(KafkaHandle& handle, const std::string& group,
                                        std::span<const TopicPartition> partitions) {
  if (partitions.empty()) return {};
  const KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& one : partitions)
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), static_cast<std::int32_t>(one.partition));
  const DeleteOffsetsRequest request(rd_kafka_DeleteConsumerGroupOffsets_new(group.c_str(), list.get()));
  rd_kafka_DeleteConsumerGroupOffsets_t* requests[] = {request.get()};
  KafkaAdminCall call;
  call.op = RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS;
  call.act = group_act("taking away offsets of", "Delete", group);
  call.act.right += " and Read on its topics";
  call.start = [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
    rd_kafka_DeleteConsumerGroupOffsets(handle.raw(), requests, 1, options, queue);
  };
  call.item_error = [](rd_kafka_event_t* event) { return group_error(deleted(event)); };
  DRS_ASSIGN_OR_RETURN(const KafkaEvent event, call_kafka_admin(handle, call));
  return verdict(deleted(event.get()), call.act);
}

}  // namespace drs
