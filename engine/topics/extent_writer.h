// Writes the records of one partition as extents: fills record blocks, notes gaps, keeps digests and sums. Threads: one
// thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/record_digest.h"
#include "engine/format/record_block.h"
#include "engine/format/segment_directory.h"
#include "engine/topics/segment_writer.h"
#include "io/base/record.h"

namespace drs {

class ExtentWriter {
 public:
  // Offsets from `from` on. `topic`: its number in the topic table. `gap_cause`: of offsets that are missing.
  ExtentWriter(SegmentWriter& segment, std::uint32_t topic, std::uint32_t partition, std::int64_t from,
               GapCause gap_cause);

  // Adds the next record, whose offset is at least position(). Errors: kSource (a record too large to be stored);
  // SegmentWriter's.
  Result<void> add(const Record& record);
  // States that the offsets before `offset` hold no further record, for another reason than that of other gaps. Errors:
  // as add.
  Result<void> skip(std::int64_t offset, GapCause cause);
  // Writes what is left: everything before `to` was read. Errors: as add.
  Result<void> finish(std::int64_t to);
  [[nodiscard]] std::int64_t position() const { return position_; }  // the next offset
  [[nodiscard]] std::uint64_t records() const { return records_; }
  [[nodiscard]] std::uint64_t payload_bytes() const { return payload_bytes_; }
  // After `finish`.
  [[nodiscard]] const std::vector<Extent>& extents() const { return extents_; }
  // After `finish`: the largest gaps without another explanation than that transactions may have left them.
  [[nodiscard]] const std::vector<Gap>& gaps_in_doubt() const { return gaps_in_doubt_; }

 private:
  void note_gap(std::int64_t to, GapCause cause);
  Result<void> write_block();
  Result<void> close_extent(std::int64_t to);

  SegmentWriter& segment_;
  const GapCause gap_cause_;
  std::int64_t position_;
  RecordBlockBuilder builder_;
  RecordDigest block_digest_;  // of the records in builder_
  Extent extent_;
  ExtentIndex index_;
  Bytes row_;
  std::uint64_t records_ = 0;
  std::uint64_t payload_bytes_ = 0;
  std::vector<Extent> extents_;
  std::vector<Gap> gaps_in_doubt_;
};

// Keeps the largest gaps, at most `count`, in the order of their offsets.
void keep_largest_gaps(std::vector<Gap>& gaps, std::size_t count);

}  // namespace drs
