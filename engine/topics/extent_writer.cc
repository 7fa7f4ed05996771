#include "engine/topics/extent_writer.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "engine/topics/gap_check.h"

namespace drs {
namespace {

Extent begin_extent(std::uint32_t topic, std::uint32_t partition, std::int64_t from) {
  Extent extent;
  extent.topic = topic;
  extent.partition = partition;
  extent.from = from;
  extent.to = from;
  return extent;
}

}  // namespace

void keep_largest_gaps(std::vector<Gap>& gaps, std::size_t count) {
  if (gaps.size() <= count) return;
  const auto larger = [](const Gap& a, const Gap& b) {
    return a.offsets != b.offsets ? a.offsets > b.offsets : a.from < b.from;
  };
  std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(count), gaps.end(), larger);
  gaps.resize(count);
  std::ranges::sort(gaps, {}, &Gap::from);
}

ExtentWriter::ExtentWriter(SegmentWriter& segment, std::uint32_t topic, std::uint32_t partition, std::int64_t from,
                           GapCause gap_cause)
    : segment_(segment), gap_cause_(gap_cause), position_(from), extent_(begin_extent(topic, partition, from)) {
  builder_.begin(topic, partition);
}

void ExtentWriter::note_gap(std::int64_t to, GapCause cause) {
  if (to <= position_) return;
  const auto offsets = static_cast<std::uint64_t>(to - position_);
  extent_.missing_offsets += offsets;
  ++extent_.gaps;
  index_.gaps.push_back({position_, offsets, cause});
  // Twice as many, so that the search for the largest is rare.
  if (index_.gaps.size() >= 2 * kExtentGapsMax) keep_largest_gaps(index_.gaps, kExtentGapsMax);
  position_ = to;
}

Result<void> ExtentWriter::add(const Record& record) {
  DRS_ASSERT(record.offset >= position_, "offsets must grow");
  if (!builder_.has_room_for(record)) DRS_RETURN_IF_ERROR(write_block());
  if (index_.blocks.size() >= kExtentBlocksMax) DRS_RETURN_IF_ERROR(close_extent(position_));
  const std::uint64_t payload = drs::payload_bytes(record);
  if (payload > kRecordBytesMax)
    return Error(ErrorCode::kSource, "the record at offset " + std::to_string(record.offset) + " has " +
                                         std::to_string(payload) + " bytes, the most that an archive holds is " +
                                         std::to_string(kRecordBytesMax));
  note_gap(record.offset, gap_cause_);
  const RecordHash hash = record_hash(record, row_);
  builder_.add(record);
  block_digest_.add(hash);
  if (extent_.records == 0) {
    extent_.least_ms = record.timestamp_ms;
    extent_.greatest_ms = record.timestamp_ms;
  }
  extent_.least_ms = std::min(extent_.least_ms, record.timestamp_ms);
  extent_.greatest_ms = std::max(extent_.greatest_ms, record.timestamp_ms);
  ++extent_.records;
  extent_.payload_bytes += payload;
  extent_.last_offset = record.offset;
  extent_.last_hash = hash;
  ++records_;
  payload_bytes_ += payload;
  position_ = record.offset + 1;
  // A record larger than a block is one alone. It does not wait in memory for the next record of its partition.
  return payload > kRecordBlockBytesMax ? write_block() : Result<void>();
}

Result<void> ExtentWriter::skip(std::int64_t offset, GapCause cause) {
  note_gap(offset, cause);
  return {};
}

Result<void> ExtentWriter::write_block() {
  if (builder_.empty()) return {};
  DRS_ASSIGN_OR_RETURN(RecordBlockEntry entry, segment_.write(builder_));
  entry.digest = block_digest_;
  extent_.digest.append(block_digest_, entry.records);
  block_digest_ = {};
  index_.blocks.push_back(entry);
  return {};
}

Result<void> ExtentWriter::close_extent(std::int64_t to) {
  DRS_RETURN_IF_ERROR(write_block());
  extent_.to = to;
  if (extent_.to > extent_.from) {
    keep_largest_gaps(index_.gaps, kExtentGapsMax);
    std::ranges::copy_if(index_.gaps, std::back_inserter(gaps_in_doubt_),
                         [](const Gap& gap) { return gap.cause == GapCause::kTransaction; });
    keep_largest_gaps(gaps_in_doubt_, kGapsReadAgain);
    DRS_RETURN_IF_ERROR(segment_.add_extent(extent_, index_));
    extents_.push_back(extent_);
  }
  extent_ = begin_extent(extent_.topic, extent_.partition, to);
  index_ = {};
  return {};
}

Result<void> ExtentWriter::finish(std::int64_t to) {
  note_gap(to, gap_cause_);
  return close_extent(to);
}

}  // namespace drs
