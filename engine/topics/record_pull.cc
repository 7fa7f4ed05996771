#include "engine/topics/record_pull.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace drs {

// Takes the bytes of record blocks that lie end to end, and passes on each whole block.
class RecordPull::BlockSink final : public Sink {
 public:
  explicit BlockSink(std::function<Result<void>(ByteView)> take) : take_(std::move(take)) {}
  Result<void> write(ByteView bytes) override {
    while (!bytes.empty()) {
      const std::size_t wanted = block_.size() < kRecordBlockHeaderBytes ? kRecordBlockHeaderBytes : block_bytes_;
      const std::size_t count = std::min(wanted - block_.size(), bytes.size());
      block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      bytes = bytes.subspan(count);
      if (block_.size() < wanted) return {};
      if (wanted == kRecordBlockHeaderBytes && block_bytes_ == 0) {
        DRS_ASSIGN_OR_RETURN(const RecordBlockHeader header, decode_record_block_header(block_));
        block_bytes_ = header.bytes;
        if (block_.size() < block_bytes_) continue;
      }
      block_bytes_ = 0;
      DRS_RETURN_IF_ERROR(take_(block_));
      block_.clear();
    }
    return {};
  }
  Result<void> commit() override {
    if (block_.empty()) return {};
    return Error(ErrorCode::kCorrupt, "a record block ends early");
  }
  void abandon() override {}
  void cancel() override {}
  [[nodiscard]] std::string name() const override { return "records"; }

 private:
  const std::function<Result<void>(ByteView)> take_;
  Bytes block_;
  std::size_t block_bytes_ = 0;  // of the block, once its header is there
};

Result<void> RecordPull::run(const Visit& visit) {
  // Streams in the order of their runs. An extent whose predecessor lies behind it, since that was read again or since
  // it was rewritten itself, waits for the next round.
  const auto lies_behind = [](const CatalogueExtent& a, const CatalogueExtent& b) {
    return a.stream != b.stream ? a.stream > b.stream : a.extent.index_place > b.extent.index_place;
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<Item>> rounds;
  for (std::size_t t = 0; t < topics_.size(); ++t)
    for (std::size_t p = 0; p < topics_[t].partitions.size(); ++p) {
      std::uint32_t round = 0;
      const CatalogueExtent* before = nullptr;
      for (const CatalogueExtent& extent : topics_[t].partitions[p].extents) {
        if (before != nullptr && lies_behind(*before, extent)) ++round;
        rounds[{round, extent.stream}].push_back({{t, p}, &extent});
        before = &extent;
      }
    }
  for (const auto& [key, items] : rounds) DRS_RETURN_IF_ERROR(run_stream(key.second, items, visit));
  return {};
}

// Adds the places of the blocks with wanted records. `skips_blocks`: no block of the partition is read so far; what is
// left to skip then is skipped record by record.
Result<void> RecordPull::plan_extent(const Item& item, bool& skips_blocks, std::vector<RestoreRange>& ranges) {
  const ChosenPartition& chosen = topics_[item.partition.topic].partitions[item.partition.partition];
  std::uint64_t& skip = skips_[item.partition.topic][item.partition.partition];
  const RecordWindow window = chosen.window.within(*item.extent);
  const auto index = view_.index(*item.extent);
  if (!index.ok()) return index.error().with_context(name_of(item, {item.extent->from, item.extent->to}));
  for (const RecordBlockEntry& entry : index->blocks) {
    if (!window.meets(entry)) continue;
    skips_blocks = skips_blocks && window.holds_all_of(entry) && skip >= entry.records;
    if (skips_blocks) {
      skip -= entry.records;
      continue;
    }
    ranges.push_back({entry.place, entry.place + entry.bytes});
  }
  return {};
}

std::string RecordPull::name_of(const Item& item, const OffsetSpan& offsets) const {
  const ChosenTopic& topic = topics_[item.partition.topic];
  return "topic " + topic.source->name + ", partition " +
         std::to_string(topic.partitions[item.partition.partition].number) + ", offsets " +
         std::to_string(offsets.from) + " to " + std::to_string(offsets.to - 1);
}

// The wanted records of the blocks that `lost` meets: those of the first partition, and how many others. Only for an
// error: reads the indexes again rather than that each block's place is kept.
std::string RecordPull::lost_records(const std::vector<Item>& items, const RestoreRange& lost) {
  const Item* first = nullptr;
  std::optional<OffsetSpan> offsets;
  std::set<std::pair<std::size_t, std::size_t>> partitions;
  for (const Item& item : items) {
    const RecordWindow window = topics_[item.partition.topic].partitions[item.partition.partition].window;
    const auto index = view_.index(*item.extent);
    if (!index.ok()) continue;
    for (const RecordBlockEntry& entry : index->blocks) {
      const bool met = entry.place < lost.end_bytes && entry.place + entry.bytes > lost.begin_bytes;
      if (!met || !window.within(*item.extent).meets(entry)) continue;
      partitions.emplace(item.partition.topic, item.partition.partition);
      if (first == nullptr) first = &item;
      if (item.partition != first->partition) continue;
      if (!offsets) offsets = OffsetSpan{entry.first_offset, 0};
      offsets->to = entry.last_offset + 1;
    }
  }
  if (first == nullptr) return "records that were not asked for";
  const std::size_t others = partitions.size() - 1;
  return name_of(*first, *offsets) + (others == 0 ? "" : ", and " + std::to_string(others) + " other partitions");
}

Result<void> RecordPull::visit_block(ByteView bytes, const std::vector<Item>& items, const Visit& visit) {
  DRS_ASSIGN_OR_RETURN(const RecordBlockHeader header, decode_record_block_header(bytes));
  const auto found = std::ranges::find_if(items, [&](const Item& item) {
    return item.extent->extent.topic == header.topic && item.extent->extent.partition == header.partition &&
           header.last_offset >= item.extent->from && header.first_offset < item.extent->to;
  });
  if (found == items.end()) return Error(ErrorCode::kCorrupt, "a record block belongs to no extent that was asked for");
  const PartitionIndex& at = found->partition;
  std::uint64_t& skip = skips_[at.topic][at.partition];
  const auto pass_on = [&](const Record& record) -> Result<bool> {
    if (skip > 0) {
      --skip;
      return true;
    }
    DRS_RETURN_IF_ERROR(visit(at, record));
    return true;
  };
  const RecordWindow window = topics_[at.topic].partitions[at.partition].window.within(*found->extent);
  const auto visited = visit_records(bytes, window, pass_on);
  return visited.ok() ? Result<void>() : visited.error();
}

Result<void> RecordPull::run_stream(std::uint32_t stream, const std::vector<Item>& items, const Visit& visit) {
  std::vector<RestoreRange> ranges;
  const Item* before = nullptr;
  bool skips_blocks = true;
  for (const Item& item : items) {
    if (before == nullptr || before->partition != item.partition) skips_blocks = true;
    DRS_RETURN_IF_ERROR(plan_extent(item, skips_blocks, ranges));
    before = &item;
  }
  std::ranges::sort(ranges, {}, &RestoreRange::begin_bytes);
  std::vector<RestoreRange> joined;
  for (const RestoreRange& range : ranges) {
    if (!joined.empty() && joined.back().end_bytes == range.begin_bytes)
      joined.back().end_bytes = range.end_bytes;
    else
      joined.push_back(range);
  }
  for (const RestoreRange& range : joined) {
    BlockSink sink([&](ByteView block) { return visit_block(block, items, visit); });
    const auto done = restore_.run(view_.manifest().streams[stream], range, sink);
    if (!done.ok() && restore_.lost()) return done.error().with_context(lost_records(items, *restore_.lost()));
    if (!done.ok()) return done.error();
    DRS_RETURN_IF_ERROR(sink.commit());
  }
  return {};
}

}  // namespace drs
