// Record blocks: consecutive records of one partition, in columns (FORMAT.md "Record block"). Columns of a kind
// compress better together than rows do.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/format/kinds.h"
#include "io/base/record.h"
#include "io/base/result.h"

namespace drs {

inline constexpr std::size_t kRecordBlockHeaderBytes = 96;
// A record block of more than one record is at most this long, so that it is one block of 16 chunks.
inline constexpr std::size_t kRecordBlockBytesMax = 16 * 65'534;
// A single record that is larger than that has a record block of its own, up to this size.
inline constexpr std::size_t kRecordBytesMax = 1 * kGiB;
inline constexpr std::size_t kRecordColumns = 11;

struct RecordBlockHeader {
  std::uint32_t bytes = 0;  // of the record block, with this header
  std::uint32_t topic = 0;  // number in the topic table of the segment stream
  std::uint32_t partition = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::uint32_t records = 0;  // at least 1
  std::int64_t least_ms = 0;  // timestamps
  std::int64_t greatest_ms = 0;
  std::array<std::uint32_t, kRecordColumns> column_bytes{};
  friend bool operator==(const RecordBlockHeader&, const RecordBlockHeader&) = default;
};

// Collects records of one partition. Memory: the columns, whose capacities grow with what is added and stay below
// twice kRecordBlockBytesMax between blocks. Threads: one thread at a time.
class RecordBlockBuilder {
 public:
  void begin(std::uint32_t topic, std::uint32_t partition);  // for an empty builder
  [[nodiscard]] bool empty() const { return header_.records == 0; }
  // Whether the block would stay within kRecordBlockBytesMax. An empty builder accepts any record.
  [[nodiscard]] bool has_room_for(const Record& record) const;
  // Adds a record, whose offset is greater than that of the last one. The caller has checked has_room_for.
  void add(const Record& record);
  // What encode will write.
  [[nodiscard]] RecordBlockHeader header() const;
  // Writes the block to `out`, which has header().bytes, and empties the builder.
  void encode(MutableByteView out);

 private:
  RecordBlockHeader header_;
  std::array<Bytes, kRecordColumns> columns_;
  std::uint64_t run_skipped_ = 0, run_records_ = 0;  // the last run of offsets, not yet in its column
  std::uint64_t type_run_records_ = 0;
  TimestampType type_ = TimestampType::kNone;
  std::int64_t last_timestamp_ms_ = 0;
};

// Reads the records of a block in order. Borrows the block.
class RecordBlockReader {
 public:
  // Errors: kTruncated, kCorrupt (anything that the builder would not write), kFormatTooNew (an unknown layout).
  static Result<RecordBlockReader> open(ByteView block);
  [[nodiscard]] const RecordBlockHeader& header() const { return header_; }
  // Returns the next record, valid until the next call; nullptr after the last one. Errors: kTruncated, kCorrupt.
  Result<const Record*> next();

 private:
  RecordBlockReader() = default;
  RecordBlockHeader header_;
};

// The header alone: of the first kRecordBlockHeaderBytes. Errors: as open, as far as the header shows it.
Result<RecordBlockHeader> decode_record_block_header(ByteView bytes);

}  // namespace drs
