// Reads chosen records of an archive in the order in which they are stored, with read-ahead and on all cores: those of
// one partition come in the order of their offsets. Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/pipeline/pull/range_restore.h"
#include "engine/topics/archive_plan.h"
#include "engine/topics/restore_plan.h"
#include "engine/topics/topic_view.h"

namespace drs {

// Numbers in the list of chosen topics.
struct PartitionIndex {
  std::size_t topic = 0;
  std::size_t partition = 0;
  friend bool operator==(const PartitionIndex&, const PartitionIndex&) = default;
};

class RecordPull {
 public:
  // The record is valid until the call returns.
  using Visit = std::function<Result<void>(const PartitionIndex& partition, const Record& record)>;
  // All outlive the pull. `skips`: for each topic and partition, how many of its chosen records to leave out at the
  // beginning; blocks that consist of such records are not read.
  RecordPull(RangeRestore& restore, TopicView& view, const std::vector<ChosenTopic>& topics,
             std::vector<std::vector<std::uint64_t>> skips)
      : restore_(restore), view_(view), topics_(topics), skips_(std::move(skips)) {}
  // Errors: damage, the store's, those of `visit`, kCancelled.
  Result<void> run(const Visit& visit);

 private:
  struct Item {
    PartitionIndex partition;
    const CatalogueExtent* extent = nullptr;
  };
  class BlockSink;
  Result<void> run_stream(std::uint32_t stream, const std::vector<Item>& items, const Visit& visit);
  Result<void> plan_extent(const Item& item, bool& skips_blocks, std::vector<RestoreRange>& ranges);
  [[nodiscard]] std::string name_of(const Item& item, const OffsetSpan& offsets) const;
  std::string lost_records(const std::vector<Item>& items, const RestoreRange& lost);
  Result<void> visit_block(ByteView bytes, const std::vector<Item>& items, const Visit& visit);

  RangeRestore& restore_;
  TopicView& view_;
  const std::vector<ChosenTopic>& topics_;
  std::vector<std::vector<std::uint64_t>> skips_;  // what is left of them
};

}  // namespace drs
