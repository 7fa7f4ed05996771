#include "engine/topics/resume_check.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/topics/cluster_error.h"
#include "engine/topics/offset_map.h"
#include "engine/topics/record_probe.h"
#include "engine/topics/restore_limits.h"

namespace drs {
namespace {

bool is_set(std::span<const TopicConfig> configs, std::string_view name, std::string_view value) {
  return std::ranges::any_of(configs, [&](const TopicConfig& config) {
    return config.name == name && config.value == value && config.source == ConfigSource::kTopic;
  });
}

// Whether a chosen record is missing at the target. `held`: of all partitions of the topic.
Result<bool> lacks_records(TopicView& view, const ChosenTopic& topic, std::span<const HeldRecords> held) {
  for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
    DRS_ASSIGN_OR_RETURN(const std::optional<RecordHash> next,
                         hash_of_record(view, topic.partitions[p], held[p].records + 1));
    if (next) return true;
  }
  return false;
}

// Empty: none.
Result<std::string> conflict_of(TopicView& view, const ChosenTopic& topic, std::span<const HeldRecords> held,
                                const RestoreTarget& target, TopicCluster& cluster) {
  for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
    DRS_ASSIGN_OR_RETURN(const std::string why, why_not_resumable(view, topic.partitions[p], held[p]));
    if (!why.empty()) return "partition " + std::to_string(p) + why + kNotOfARestore;
  }
  if (target.use_existing) return std::string();
  DRS_ASSIGN_OR_RETURN(const std::vector<TopicConfig> configs, of_target(cluster.configs(topic.target)));
  if (has_settings_of_new(configs, new_topic(topic, target))) return std::string();
  DRS_ASSIGN_OR_RETURN(const bool lacks, lacks_records(view, topic, held));
  if (!lacks) return std::string();
  return "it lacks records of the archive, and does not have the settings of an unfinished restore" +
         std::string(kNotOfARestore);
}

}  // namespace

Result<std::vector<HeldRecords>> held_records(RecordSource& source, std::span<const TopicPartition> partitions,
                                              std::span<const PartitionEnds> ends) {
  std::vector<OffsetRange> last_records;
  for (std::size_t i = 0; i < ends.size(); ++i)
    if (ends[i].high_watermark > ends[i].log_start)
      last_records.push_back(
          {static_cast<std::uint32_t>(i), partitions[i], ends[i].high_watermark - 1, ends[i].high_watermark});
  DRS_ASSIGN_OR_RETURN(const auto hashes, of_target(probe_records(source, last_records)));
  std::vector<HeldRecords> held;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const auto found = hashes.find(static_cast<std::uint32_t>(i));
    held.push_back({ends[i].log_start, static_cast<std::uint64_t>(ends[i].high_watermark - ends[i].log_start),
                    found == hashes.end() ? std::nullopt : std::optional(found->second)});
  }
  return held;
}

Result<std::string> why_not_resumable(TopicView& view, const ChosenPartition& chosen, const HeldRecords& held) {
  if (held.records == 0) return std::string();
  DRS_ASSIGN_OR_RETURN(const std::optional<RecordHash> expected, hash_of_record(view, chosen, held.records));
  if (held.last && held.last == expected) return std::string();
  const std::string there = std::to_string(held.records);
  return " holds " + there + " records" +
         (expected ? ", and its last record is not record number " + there + " of those to restore"
                   : std::string(", more than there are to restore"));
}

bool has_settings_of_new(std::span<const TopicConfig> configs, const NewTopic& made) {
  return std::ranges::all_of(made.configs, [&](const auto& safe) { return is_set(configs, safe.first, safe.second); });
}

bool has_settings_of_restore(std::span<const TopicConfig> configs, const NewTopic& made,
                             const CatalogueTopic& archived) {
  const auto takes_all = [&](const TopicConfig& config) {
    const char* const none = no_limit(config.name);
    return none != nullptr && is_set(configs, config.name, none) && !is_set(archived.configs, config.name, none);
  };
  return has_settings_of_new(configs, made) || std::ranges::any_of(configs, takes_all);
}

Result<void> check_resumed(TopicView& view, const std::vector<ChosenTopic>& topics, const RestoreTarget& target,
                           TopicCluster& cluster, RecordSource& source, RestorePreflight& preflight) {
  std::vector<TopicPartition> partitions;
  for (const std::size_t t : preflight.resumed)
    for (const ChosenPartition& partition : topics[t].partitions)
      partitions.push_back({topics[t].target, partition.number});
  if (partitions.empty()) return {};
  DRS_ASSIGN_OR_RETURN(const std::vector<PartitionEnds> ends, of_target(source.capture(partitions)));
  DRS_ASSIGN_OR_RETURN(const std::vector<HeldRecords> held, held_records(source, partitions, ends));
  std::size_t first = 0;
  for (const std::size_t t : preflight.resumed) {
    const auto of_topic = std::span(held).subspan(first, topics[t].partitions.size());
    first += of_topic.size();
    DRS_ASSIGN_OR_RETURN(const std::string conflict, conflict_of(view, topics[t], of_topic, target, cluster));
    if (!conflict.empty()) preflight.add_conflict(topics[t].target, conflict);
  }
  return {};
}

}  // namespace drs
