// Whether topics at the target are what an interrupted restore of the chosen records leaves. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codecs/record_digest.h"
#include "engine/topics/restore_plan.h"
#include "engine/topics/topic_view.h"
#include "io/base/topic.h"
#include "io/record_source.h"
#include "io/topic_cluster.h"

namespace drs {

// What a partition at the target holds.
struct HeldRecords {
  std::int64_t log_start = 0;
  std::uint64_t records = 0;
  std::optional<RecordHash> last;  // absent: none, or it cannot be read
};
// `ends` are those of `partitions`. Errors: the source's.
Result<std::vector<HeldRecords>> held_records(RecordSource& source, std::span<const TopicPartition> partitions,
                                              std::span<const PartitionEnds> ends);

// Why a partition at the target does not hold the first of the chosen records; empty: its last record shows that it
// does, or it is empty. Errors: damage, the store's.
Result<std::string> why_not_resumable(TopicView& view, const ChosenPartition& chosen, const HeldRecords& held);
// What to do with such a topic.
inline constexpr const char* kNotOfARestore =
    ": it is not what an interrupted restore of these records leaves; if the topic is not a restore's, restore under "
    "another name by --rename; otherwise give the records that the interrupted restore had, or delete the topic";

// Whether a topic still has the settings with which a restore creates it.
bool has_settings_of_new(std::span<const TopicConfig> configs, const NewTopic& made);
// The same, or one that a restore gives to topics which it creates so that they take every record, and that the
// archived topic did not have.
bool has_settings_of_restore(std::span<const TopicConfig> configs, const NewTopic& made,
                             const CatalogueTopic& archived);

// Adds a conflict for each topic of `preflight.resumed` that no restore has left so: it holds other records, or it
// lacks records and the settings of a restore. Errors: damage; the store's; the cluster's.
Result<void> check_resumed(TopicView& view, const std::vector<ChosenTopic>& topics, const RestoreTarget& target,
                           TopicCluster& cluster, RecordSource& source, RestorePreflight& preflight);

}  // namespace drs
