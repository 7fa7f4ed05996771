#include "engine/topics/offset_map.h"

#include <algorithm>
#include <utility>

#include "engine/topics/cluster_error.h"
#include "engine/topics/record_probe.h"
#include "io/base/pattern.h"

namespace drs {
namespace {

struct Found {
  const ChosenTopic* topic = nullptr;
  const ChosenPartition* partition = nullptr;
};

std::optional<Found> find(const std::vector<ChosenTopic>& topics, const TopicPartition& wanted) {
  for (const ChosenTopic& topic : topics) {
    if (topic.source->name != wanted.topic || wanted.partition >= topic.partitions.size()) continue;
    return Found{&topic, &topic.partitions[wanted.partition]};
  }
  return std::nullopt;
}

class Translation {
 public:
  Translation(TopicView& view, const std::vector<ChosenTopic>& topics, TopicCluster& cluster, RecordSource& target)
      : view_(view), topics_(topics), cluster_(cluster), target_(target) {}
  Result<std::vector<TranslatedGroup>> run(const std::string& glob);

 private:
  Result<TranslatedGroup> translate(const CatalogueGroup& group);
  Result<void> add(TranslatedGroup& group, const GroupOffset& archived, const std::vector<GroupOffset>& now);
  Result<PartitionEnds> ends_of(const TopicPartition& partition);
  Result<bool> holds(const TopicPartition& partition, std::int64_t offset, const RecordHash& expected);
  Result<bool> is_place(const TranslatedOffset& offset, const Ordinal& ordinal, const PartitionEnds& ends);
  Result<void> place(TranslatedOffset& offset, const Ordinal& ordinal, const PartitionEnds& ends);

  TopicView& view_;
  const std::vector<ChosenTopic>& topics_;
  TopicCluster& cluster_;
  RecordSource& target_;
  std::map<TopicPartition, PartitionEnds> ends_;
};

Result<PartitionEnds> Translation::ends_of(const TopicPartition& partition) {
  if (const auto known = ends_.find(partition); known != ends_.end()) return known->second;
  DRS_ASSIGN_OR_RETURN(const std::vector<PartitionEnds> ends, of_source(target_.capture(std::span(&partition, 1))));
  return ends_[partition] = ends.front();
}

// Whether the record at the target is the one that was restored there.
Result<bool> Translation::holds(const TopicPartition& partition, std::int64_t offset, const RecordHash& expected) {
  const OffsetRange range{0, partition, offset, offset + 1};
  DRS_ASSIGN_OR_RETURN(const auto hashes, of_source(probe_records(target_, std::span(&range, 1))));
  const auto found = hashes.find(0);
  return found != hashes.end() && found->second == expected;
}

// Whether the record at the position, or the last one before it, is the one that was restored there.
Result<bool> Translation::is_place(const TranslatedOffset& offset, const Ordinal& ordinal, const PartitionEnds& ends) {
  if (offset.offset < ends.log_start || offset.offset > ends.high_watermark) return false;
  if (ordinal.next && offset.offset == ends.high_watermark) return false;
  if (ordinal.next) return holds(offset.target, offset.offset, *ordinal.next);
  if (!ordinal.last) return true;  // nothing was restored
  if (offset.offset == ends.log_start) return false;
  return holds(offset.target, offset.offset - 1, *ordinal.last);
}

// The first record that was restored has offset 0, or, in an empty topic that existed before, the start of its log.
Result<void> Translation::place(TranslatedOffset& offset, const Ordinal& ordinal, const PartitionEnds& ends) {
  const auto before = static_cast<std::int64_t>(ordinal.records_before);
  for (const std::int64_t first : {std::int64_t{0}, ends.log_start}) {
    offset.offset = first + before;
    DRS_ASSIGN_OR_RETURN(const bool found, is_place(offset, ordinal, ends));
    if (found) return {};
  }
  if (before < ends.log_start || (before == ends.log_start && !ordinal.next)) {
    offset.expired = before < ends.log_start;
    offset.offset = ends.log_start;
    return {};
  }
  return Error(ErrorCode::kSinkClosed,
               offset.target.topic + "/" + std::to_string(offset.target.partition) + ", with offsets from " +
                   std::to_string(ends.log_start) + " to " + std::to_string(ends.high_watermark) +
                   ", does not hold what was restored: record " + std::to_string(offset.archived) +
                   " of the archive should be at offset " + std::to_string(before) +
                   ". Give the same --topics, --rename and windows as the restore had, and finish the restore first");
}

Result<void> Translation::add(TranslatedGroup& group, const GroupOffset& archived,
                              const std::vector<GroupOffset>& now) {
  const auto found = find(topics_, archived.partition);
  if (!found) return {};
  TranslatedOffset offset;
  offset.source = archived.partition;
  offset.target = {found->topic->target, archived.partition.partition};
  offset.archived = archived.offset;
  offset.metadata = archived.metadata;
  DRS_ASSIGN_OR_RETURN(const Ordinal ordinal, ordinal_of(view_, *found->partition, archived.offset));
  DRS_ASSIGN_OR_RETURN(const PartitionEnds ends, ends_of(offset.target));
  const CataloguePartition& partition = found->topic->source->partitions[archived.partition.partition];
  offset.clamped = archived.offset > partition.to;
  DRS_RETURN_IF_ERROR(place(offset, ordinal, ends));
  const auto before = std::ranges::find(now, offset.target, &GroupOffset::partition);
  if (before != now.end()) offset.before = *before;
  group.offsets.push_back(std::move(offset));
  return {};
}

Result<TranslatedGroup> Translation::translate(const CatalogueGroup& group) {
  TranslatedGroup translated{group.name, false, {}};
  DRS_ASSIGN_OR_RETURN(const GroupState state, of_source(cluster_.group_state(group.name)));
  translated.active = state == GroupState::kActive;
  std::vector<GroupOffset> now;
  if (state != GroupState::kAbsent) {
    DRS_ASSIGN_OR_RETURN(now, of_source(cluster_.group_offsets(group.name)));
  }
  for (const GroupOffset& offset : group.offsets) DRS_RETURN_IF_ERROR(add(translated, offset, now));
  return translated;
}

Result<std::vector<TranslatedGroup>> Translation::run(const std::string& glob) {
  const std::vector<CatalogueGroup>& archived = view_.catalogue().groups;
  const auto matches = [&](const CatalogueGroup& group) { return matches_glob(glob, group.name); };
  if (glob != "*" && std::ranges::none_of(archived, matches))
    return Error(ErrorCode::kUsage, "the archive has no group '" + glob + "'; `drstream show` lists its groups");
  std::vector<TranslatedGroup> groups;
  for (const CatalogueGroup& group : archived) {
    if (!matches(group)) continue;
    auto translated = translate(group);
    if (!translated.ok()) return std::move(translated).error().with_context("group " + group.name);
    if (!translated->offsets.empty()) groups.push_back(*std::move(translated));
  }
  return groups;
}

}  // namespace

Result<Ordinal> ordinal_of(TopicView& view, const ChosenPartition& partition, std::int64_t offset) {
  Ordinal ordinal;
  Bytes row;
  const auto count = [&](const Record& record) -> Result<bool> {
    if (record.offset >= offset)
      ordinal.next = record_hash(record, row);
    else
      ++ordinal.records_before;
    return !ordinal.next;
  };
  for (const CatalogueExtent& extent : partition.extents) {
    if (!partition.window.by_time() && extent.to <= offset) {
      ordinal.records_before += extent.records;
      continue;
    }
    const RecordWindow window = partition.window.within(extent);
    DRS_ASSIGN_OR_RETURN(const ExtentIndex index, view.index(extent));
    for (const RecordBlockEntry& entry : index.blocks) {
      if (!window.meets(entry)) continue;
      if (window.holds_all_of(entry) && entry.last_offset < offset) {
        ordinal.records_before += entry.records;
        continue;
      }
      DRS_ASSIGN_OR_RETURN(const bool more, view.visit_block(extent, entry, window, count));
      if (!more) return ordinal;
    }
  }
  if (ordinal.records_before == 0) return ordinal;
  DRS_ASSIGN_OR_RETURN(ordinal.last, hash_of_record(view, partition, ordinal.records_before));
  return ordinal;
}

Result<std::optional<RecordHash>> hash_of_record(TopicView& view, const ChosenPartition& partition,
                                                 std::uint64_t number) {
  std::optional<RecordHash> hash;
  Bytes row;
  const auto count = [&](const Record& record) -> Result<bool> {
    if (--number == 0) hash = record_hash(record, row);
    return !hash;
  };
  for (const CatalogueExtent& extent : partition.extents) {
    if (!partition.window.by_time() && extent.records < number) {
      number -= extent.records;
      continue;
    }
    const RecordWindow window = partition.window.within(extent);
    DRS_ASSIGN_OR_RETURN(const ExtentIndex index, view.index(extent));
    for (const RecordBlockEntry& entry : index.blocks) {
      if (!window.meets(entry)) continue;
      if (window.holds_all_of(entry) && entry.records < number) {
        number -= entry.records;
        continue;
      }
      DRS_ASSIGN_OR_RETURN(const bool more, view.visit_block(extent, entry, window, count));
      if (!more) return hash;
    }
  }
  return hash;
}

Result<std::vector<TranslatedGroup>> translate_offsets(TopicView& view, const std::vector<ChosenTopic>& topics,
                                                       const std::string& groups, TopicCluster& cluster,
                                                       RecordSource& target) {
  return Translation(view, topics, cluster, target).run(groups);
}

}  // namespace drs
