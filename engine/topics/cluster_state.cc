#include "engine/topics/cluster_state.h"

#include <algorithm>
#include <utility>

#include "engine/topics/cluster_error.h"
#include "engine/topics/topic_configs.h"
#include "io/base/pattern.h"

namespace drs {
namespace {

constexpr int kAttempts = 3;

// The groups that have offsets in `topics`, which are sorted by name, with these offsets.
Result<std::vector<CatalogueGroup>> capture_groups(TopicCluster& cluster, const std::vector<SelectedTopic>& topics,
                                                   const std::string& glob) {
  DRS_ASSIGN_OR_RETURN(const std::vector<std::string> names, cluster.groups());
  const auto name_of = [](const SelectedTopic& topic) -> const std::string& { return topic.topic.name; };
  std::vector<CatalogueGroup> groups;
  for (const std::string& name : names) {
    if (!matches_glob(glob, name)) continue;
    auto offsets = cluster.group_offsets(name);
    if (!offsets.ok()) return std::move(offsets).error().with_context("offsets of group " + name);
    std::erase_if(*offsets, [&](const GroupOffset& offset) {
      return !std::ranges::binary_search(topics, offset.partition.topic, {}, name_of);
    });
    if (!offsets->empty()) groups.push_back({name, *std::move(offsets)});
  }
  std::ranges::sort(groups, {}, &CatalogueGroup::name);
  return groups;
}

Result<std::vector<TopicNow>> capture_topics(TopicCluster& cluster, RecordSource& source,
                                             const std::vector<SelectedTopic>& selected) {
  std::vector<TopicNow> topics;
  std::vector<TopicPartition> partitions;
  for (const SelectedTopic& topic : selected) {
    DRS_ASSIGN_OR_RETURN(std::vector<TopicConfig> configs, cluster.configs(topic.topic.name));
    const bool compacted = is_compacted(configs);
    topics.push_back({topic, std::move(configs), compacted, {}});
    for (std::uint32_t i = 0; i < topic.topic.partitions; ++i) partitions.push_back({topic.topic.name, i});
  }
  DRS_ASSIGN_OR_RETURN(const std::vector<PartitionEnds> ends, source.capture(partitions));
  auto next = ends.begin();
  for (TopicNow& topic : topics) {
    topic.ends.assign(next, next + topic.selected.topic.partitions);
    next += topic.selected.topic.partitions;
  }
  return topics;
}

Result<ClusterState> capture(TopicCluster& cluster, RecordSource& source, const TopicPatterns& patterns,
                             const std::string& groups, const Clock& clock) {
  ClusterState state;
  DRS_ASSIGN_OR_RETURN(const ClusterView view, cluster.look());
  DRS_ASSIGN_OR_RETURN(const std::vector<SelectedTopic> selected, select_topics(patterns, view.topics));
  state.cluster.id = view.id;
  state.cluster.client = view.client;
  state.cluster.brokers = view.brokers;
  state.cluster.groups_ns = clock.wall_ns();
  DRS_ASSIGN_OR_RETURN(state.groups, capture_groups(cluster, selected, groups));
  state.cluster.captured_ns = clock.wall_ns();
  DRS_ASSIGN_OR_RETURN(state.topics, capture_topics(cluster, source, selected));
  return state;
}

}  // namespace

// A topic that is deleted between two questions is not found: what is there then is captured anew.
Result<ClusterState> capture_cluster(TopicCluster& cluster, RecordSource& source, const TopicPatterns& patterns,
                                     const std::string& groups, const Clock& clock) {
  for (int attempt = 1;; ++attempt) {
    auto captured = capture(cluster, source, patterns, groups, clock);
    const bool gone = !captured.ok() && captured.error().code == ErrorCode::kNotFound;
    if (!gone || attempt == kAttempts) return of_source(std::move(captured));
  }
}

}  // namespace drs
