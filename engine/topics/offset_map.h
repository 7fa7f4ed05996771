// Translates offsets of consumer groups: from those of the archived topics to those of the restored ones. A restored
// record's offset is that of the first one plus the number of restored records before it, which the archive knows
// exactly: nothing is injected into headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/topics/restore_plan.h"
#include "engine/topics/topic_view.h"
#include "io/record_source.h"
#include "io/topic_cluster.h"

namespace drs {

struct TranslatedOffset {
  TopicPartition source;
  TopicPartition target;
  std::int64_t archived = 0;          // the group's offset when the archive was made
  std::int64_t offset = 0;            // the same position at the target
  std::string metadata;               // that the group stored beside it
  std::optional<GroupOffset> before;  // what the group has at the target now
  bool clamped = false;               // the group was ahead of the archive: set to the end of what was restored
  bool expired = false;               // retention at the target has deleted it: set to the log's start
};
struct TranslatedGroup {
  std::string group;
  bool active = false;  // has members at the target: its offsets cannot be set
  std::vector<TranslatedOffset> offsets;
};

// `groups`: a glob. `topics`: what was restored, and as what. Checks each position against the record that is there.
// Errors: kSource (the brokers failed); kSinkClosed (a record at the target is not the one that was restored there);
// damage; the store's.
Result<std::vector<TranslatedGroup>> translate_offsets(TopicView& view, const std::vector<ChosenTopic>& topics,
                                                       const std::string& groups, TopicCluster& cluster,
                                                       RecordSource& target);

// Records of the partition with offsets before `offset` that the choice holds, and the hash of the first one from there
// on; if there is none, that of the last one before. Reads at most two record blocks, unless the choice has times.
struct Ordinal {
  std::uint64_t records_before = 0;
  std::optional<RecordHash> next;
  std::optional<RecordHash> last;  // only without `next`
};
Result<Ordinal> ordinal_of(TopicView& view, const ChosenPartition& partition, std::int64_t offset);
// The hash of chosen record number `number`, from 1; none if there are fewer. Reads one block, unless the choice has
// times.
Result<std::optional<RecordHash>> hash_of_record(TopicView& view, const ChosenPartition& partition,
                                                 std::uint64_t number);

}  // namespace drs
