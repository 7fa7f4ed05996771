// What a run of an archive has to read: from the ends of the cluster's partitions and what the last archive of the same
// name holds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/format/topic_catalogue.h"
#include "engine/topics/topic_selection.h"
#include "engine/topics/topic_view.h"
#include "io/record_source.h"

namespace drs {

// How long archived records stay in later archives once the topic no longer has them. Their order: from less to more.
struct History {
  enum class Kind : std::uint8_t { kLive, kSpan, kAll } kind = Kind::kLive;
  std::int64_t span_ms = 0;  // kSpan
  friend bool operator==(const History&, const History&) = default;
  [[nodiscard]] bool keeps_less_than(const History& other) const;
};
std::string to_string(const History& history);  // "live", "all", "90d"
// Errors: kUsage.
Result<History> parse_history(std::string_view text);

// Offsets [from, to) to be read.
struct OffsetSpan {
  std::int64_t from = 0;
  std::int64_t to = 0;
  friend bool operator==(const OffsetSpan&, const OffsetSpan&) = default;
};

struct LastRecord {
  std::int64_t offset = 0;
  RecordHash hash;
  friend bool operator==(const LastRecord&, const LastRecord&) = default;
};

struct PlannedPartition {
  std::uint32_t number = 0;
  PartitionEnds ends;
  std::int64_t target = 0;             // archived up to here if the run reads everything
  std::vector<CatalogueExtent> kept;   // sorted; their stream numbers are those of the last archive
  std::vector<OffsetSpan> reads;       // sorted, none overlaps what is kept
  std::optional<LastRecord> expected;  // of the last archive: shows that the topic is still the same one
  std::uint64_t lost_offsets = 0;      // retention deleted them between the last archive and this one
};

// A topic of the last archive that stays in this one though it is not read: it has vanished, or another one has taken
// its name.
struct KeptTopic {
  CatalogueTopic topic;
  std::vector<std::vector<CatalogueExtent>> extents;  // for each of its partitions; streams as in the last archive
};

struct PlannedTopic {
  ClusterTopic topic;
  bool literal = false;
  std::vector<TopicConfig> configs;
  bool compacted = false;
  std::uint32_t generation = 1;
  std::vector<PlannedPartition> partitions;  // by number
  std::optional<KeptTopic> before;           // as the last archive has it, in the same generation
};

// Of offsets without a record, as far as the topic's configuration shows it.
GapCause usual_gap_cause(const PlannedTopic& topic);

struct ArchivePlan {
  std::vector<PlannedTopic> topics;  // sorted by name
  std::vector<KeptTopic> kept;
  History history;
  bool read_uncommitted = false;
  std::int64_t now_ms = 0;
  std::vector<std::string> warnings;
  [[nodiscard]] std::uint64_t offsets_to_read() const;
};

// One topic as the cluster has it now.
struct TopicNow {
  SelectedTopic selected;
  std::vector<TopicConfig> configs;  // that are not the default
  bool compacted = false;
  std::vector<PartitionEnds> ends;
};

struct PlanInput {
  std::vector<TopicNow> topics;
  TopicView* last = nullptr;  // null: the first archive of this name
  // Whether an extent of the last archive can no longer be used: what the cluster still has of it is read again.
  std::function<Result<bool>(const CatalogueExtent&)> is_lost;
  History history;
  bool read_uncommitted = false;
  std::int64_t now_ms = 0;
};

// Errors: damage of the last archive's catalogue; the store's.
Result<ArchivePlan> plan_archive_run(const PlanInput& input);

// For a topic that turned out to be another one than that of the last archive: it is read from its start, under the
// next generation; the old one stays as far as the history says. `why`: for the warning.
void begin_new_generation(ArchivePlan& plan, PlannedTopic& topic, const std::string& why);

// For a topic that has vanished while it was read: what the last archive has of it stays as far as the history says.
void keep_history_of(ArchivePlan& plan, PlannedTopic& topic);

}  // namespace drs
