// What a restore of topics writes, and where: from an archive, what the operator selects, and the target cluster.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/topics/topic_selection.h"
#include "engine/topics/topic_view.h"
#include "io/base/topic.h"
#include "io/record_source.h"
#include "io/topic_cluster.h"

namespace drs {

// Which records of an archive are meant, and what their topics are called at the target. The same for a restore, a
// comparison and a translation of offsets.
struct TopicChoice {
  TopicPatterns topics;                  // nothing included: all topics, in their newest generation
  std::vector<std::string> renames;      // "OLD=NEW", or a text with {topic} in it, for all others
  std::optional<std::int64_t> since_ms;  // timestamps in [since, until)
  std::optional<std::int64_t> until_ms;
  std::map<TopicPartition, std::int64_t> from_offsets;  // named as in the archive
  std::map<TopicPartition, std::int64_t> until_offsets;
  bool timestamp_zero_as_one = false;  // clients cannot write timestamp 0: such records have timestamp 1 at the target
  [[nodiscard]] bool by_time() const { return since_ms || until_ms; }
};
// Errors: kUsage.
Result<void> validate(const TopicChoice& choice);

struct ChosenPartition {
  std::uint32_t number = 0;
  std::vector<CatalogueExtent> extents;  // those with wanted records, sorted
  RecordWindow window;
  // Records of the window; with times in the choice, at most.
  std::uint64_t records = 0;
};

struct ChosenTopic {
  const CatalogueTopic* source = nullptr;  // in the view
  std::string target;
  std::vector<ChosenPartition> partitions;  // all of the source's, by number
};
struct RestoreSize {
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;  // of whole extents: at most
};
RestoreSize size_of(const ChosenTopic& topic);

// Resolves a choice. Offsets inside an extent make its window smaller, which reads its index. Errors: kUsage (a pattern
// that selects nothing, a rename of no selected topic, names that collide, a partition that the archive does not have,
// a window without any record); damage; the store's.
Result<std::vector<ChosenTopic>> choose_topics(TopicView& view, const TopicChoice& choice);

struct RestoreTarget {
  bool use_existing = false;
  bool resume = false;                       // topics of an interrupted restore may be there
  std::optional<std::uint16_t> replication;  // by default the source's
  std::int64_t now_ms = 0;                   // of records' ages
};
// As the restore creates it: with settings that keep every record.
NewTopic new_topic(const ChosenTopic& topic, const RestoreTarget& target);

// What the target says beforehand. One text each.
struct RestorePreflight {
  void add_conflict(const std::string& topic, const std::string& why) {
    conflicts.push_back("topic " + topic + ": " + why);
  }
  void add_remark(const std::string& topic, const std::string& what) {
    remarks.push_back("topic " + topic + ": " + what);
  }
  std::vector<std::string> conflicts;     // what keeps a restore from beginning
  std::vector<std::string> remarks;       // what the operator should know
  std::vector<std::size_t> resumed;       // numbers of the topics that an interrupted restore may have left
  std::uint32_t batch_bytes = 1'000'000;  // of a producer's batch: every existing topic takes it
};
// Errors: the cluster's.
Result<RestorePreflight> check_target(const std::vector<ChosenTopic>& topics, const RestoreTarget& target,
                                      TopicCluster& cluster, RecordSource& ends);

}  // namespace drs
