#include "engine/format/record_block_proof.h"

#include <algorithm>

namespace drs {
namespace {

bool ends_before(const Gap& gap, std::int64_t offset) {
  return offset >= gap.from && static_cast<std::uint64_t>(offset - gap.from) >= gap.offsets;
}

}  // namespace

bool is_described_by(const RecordBlockHeader& header, const Extent& extent, const RecordBlockEntry& entry) {
  return header.bytes == entry.bytes && header.topic == extent.topic && header.partition == extent.partition &&
         header.first_offset == entry.first_offset && header.last_offset == entry.last_offset &&
         header.records == entry.records && header.least_ms == entry.least_ms &&
         header.greatest_ms == entry.greatest_ms;
}

RecordBlockProof::RecordBlockProof(const ExtentIndex& index, const RecordBlockEntry& entry)
    : entry_(entry),
      gap_(std::ranges::partition_point(index.gaps,
                                        [&](const Gap& gap) { return ends_before(gap, entry.first_offset); })),
      gaps_end_(index.gaps.end()) {}

void RecordBlockProof::add(const Record& record) {
  while (gap_ != gaps_end_ && ends_before(*gap_, record.offset)) ++gap_;
  in_gap_ = in_gap_ || (gap_ != gaps_end_ && record.offset >= gap_->from);
  digest_.add(record_hash(record, row_));
  ++records_;
}

}  // namespace drs
