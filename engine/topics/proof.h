// Proves that a cluster holds the records of an archive: consumes the target's partitions and compares them, in order.
// Offsets and types of timestamps are not compared: a restore gives new ones.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/topics/restore_plan.h"
#include "engine/topics/topic_view.h"
#include "io/base/run_control.h"
#include "io/record_source.h"
#include "io/topic_cluster.h"

namespace drs {

struct PartitionProof {
  TopicPartition source;
  TopicPartition target;
  std::uint64_t records = 0;        // that are equal, from the beginning
  std::uint64_t expected = 0;       // of the archive; with times in the choice, those found
  std::uint64_t extra_records = 0;  // of the target, after those of the archive
  std::string difference;           // the first one; empty: none
};

struct TopicProof {
  std::vector<PartitionProof> partitions;
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;  // read from the target
  std::uint64_t different = 0;      // partitions
  std::uint64_t extra_records = 0;
};

struct ProofOptions {
  std::size_t window = 8;    // partitions at a time
  bool each_record = false;  // compare records themselves, not only the digests of blocks
};

// `target` reads the cluster. Errors: kSource (a partition is missing there, or the brokers failed); damage of the
// archive; the store's; kCancelled.
Result<TopicProof> compare_topics(TopicView& view, const std::vector<ChosenTopic>& topics, RecordSource& target,
                                  const ProofOptions& options, const RunControl& control);
// Adds to the differences in topics that are compacted at the target that this may be their cause. A topic whose
// configuration the cluster does not show is left as it is.
void explain_by_compaction(TopicProof& proof, TopicCluster& cluster);

}  // namespace drs
