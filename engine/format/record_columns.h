// The columns of a record block, in stored order; never renumber (FORMAT.md "Record block"). For record_block.cc and
// record_block_reader.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace drs {

enum RecordColumn : std::size_t {
  kOffsetRuns,
  kTimestamps,
  kTimestampTypes,
  kKeyLengths,
  kValueLengths,
  kHeaderCounts,
  kHeaderLengths,
  kHeaderNames,
  kHeaderValues,
  kKeys,
  kValues,
};

inline constexpr std::uint8_t kRecordBlockLayout = 1;

}  // namespace drs
