// Record blocks: consecutive records of one partition, in columns (FORMAT.md "Record block"). Columns of a kind
// compress better together than rows do.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
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
  // Adds a record, whose offset is greater than that of the last one. The caller has checked has_room_for, and that the
  // record has less than kRecordBytesMax, as Kafka's own bound of 1,000,000,000 bytes makes sure.
  void add(const Record& record);
  // What encode will write.
  [[nodiscard]] RecordBlockHeader header() const;
  // Writes the block to `out`, which has header().bytes, and empties the builder.
  void encode(MutableByteView out);

 private:
  // Not a Bytes, which would zero its memory and check each byte that is appended.
  struct Column {
    std::unique_ptr<Byte[]> memory;
    std::size_t capacity_bytes = 0, bytes = 0;
  };

  static void grow(Column& column, std::size_t more_bytes);
  static void make_room(Column& column, std::size_t more_bytes) {
    if (more_bytes > column.capacity_bytes - column.bytes) grow(column, more_bytes);
  }
  // These return the bytes that were added.
  static std::size_t put_number(Column& column, std::uint64_t value);
  static std::size_t put_long_number(Column& column, std::uint64_t value);
  static std::size_t put_bytes(Column& column, ByteView bytes);
  std::size_t add_runs(const Record& record);
  std::size_t add_headers(std::span<const RecordHeader> headers);
  void clear();

  RecordBlockHeader header_;
  std::array<Column, kRecordColumns> columns_;
  std::size_t columns_bytes_ = 0;
  std::uint64_t run_skipped_ = 0, run_records_ = 0;  // the last run of offsets, not yet in its column
  std::uint64_t type_run_records_ = 0;               // the same for the types of timestamps
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
  struct Column {
    const Byte* at = nullptr;
    const Byte* end = nullptr;
    [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end - at); }
  };

  RecordBlockReader() = default;
  static bool take_number(Column& column, std::uint64_t& value);
  static bool take_long_number(Column& column, std::uint64_t& value);
  static bool take_bytes(Column& column, std::size_t bytes, ByteView& out);
  static bool take_nullable(Column& column, std::uint64_t length, std::optional<ByteView>& out);
  bool take_timestamp();
  bool next_offset_run();
  bool next_type_run();
  bool take_headers();
  // Remembers that the block is refused.
  Error refused(std::size_t column);
  Result<const Record*> finish();

  RecordBlockHeader header_;
  std::array<Column, kRecordColumns> columns_;
  std::uint64_t records_left_ = 0;
  std::uint64_t run_left_ = 0, type_run_left_ = 0;
  std::int64_t least_ms_ = 0, greatest_ms_ = 0;  // of the records so far
  bool refused_ = false;
  Record record_;
  std::vector<RecordHeader> headers_;
};

// The header alone: of the first kRecordBlockHeaderBytes. Errors: as open, as far as the header shows it.
Result<RecordBlockHeader> decode_record_block_header(ByteView bytes);

}  // namespace drs
