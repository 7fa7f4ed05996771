// Compares a record block with what the index of its extent says of it. Pure. The decoder alone accepts every block
// that a writer could have written, so other records in a block of the right shape are found here, or by the block's
// seal.
//
// Found: another number of records, or other keys, values, headers or timestamps (the digest); other offsets (the gaps,
// which determine them unless the extent has more than kExtentGapsMax). Not found: another type of a timestamp, and in
// an extent with more gaps an offset that moved within a gap that the index does not keep.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/record_digest.h"
#include "engine/format/record_block.h"
#include "engine/format/segment_directory.h"

namespace drs {

// Whether the header states what the index states: bytes, topic, partition, offsets, records and timestamps.
bool is_described_by(const RecordBlockHeader& header, const Extent& extent, const RecordBlockEntry& entry);

// Takes the records of one record block.
class RecordBlockProof {
 public:
  // Borrows `index`, of which `entry` is one.
  RecordBlockProof(const ExtentIndex& index, const RecordBlockEntry& entry);
  void add(const Record& record);
  [[nodiscard]] std::uint64_t records() const { return records_; }
  // After the last record: whether they are the records of `entry`.
  [[nodiscard]] bool holds() const { return records_ == entry_.records && digest_ == entry_.digest && !in_gap_; }

 private:
  const RecordBlockEntry& entry_;
  std::vector<Gap>::const_iterator gap_, gaps_end_;  // gap_: the first that does not end before the last record
  RecordDigest digest_;
  std::uint64_t records_ = 0;
  bool in_gap_ = false;  // a record has the offset of a gap
  Bytes row_;
};

}  // namespace drs
