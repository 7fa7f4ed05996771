#include <algorithm>
#include <limits>

#include "engine/format/corrupt.h"
#include "engine/format/record_block.h"
#include "engine/format/record_columns.h"
#include "engine/format/varint.h"

namespace drs {
namespace {

constexpr std::string_view kBlock = "record block";
constexpr std::size_t kHeaderLengthsBytesMin = 2;  // of one header
constexpr auto kTypeMax = static_cast<std::uint64_t>(TimestampType::kLogAppendTime);

}  // namespace

Result<RecordBlockReader> RecordBlockReader::open(ByteView block) {
  RecordBlockReader reader;
  DRS_ASSIGN_OR_RETURN(reader.header_, decode_record_block_header(block));
  const RecordBlockHeader& header = reader.header_;
  if (block.size() < header.bytes)
    return Error(ErrorCode::kTruncated, std::string(kBlock) + ": " + std::to_string(block.size()) + " of " +
                                            std::to_string(header.bytes) + " bytes");
  if (block.size() > header.bytes) return corrupt(kBlock, ": ", block.size() - header.bytes, " bytes are left over");
  const Byte* at = block.data() + kRecordBlockHeaderBytes;
  for (std::size_t i = 0; i < kRecordColumns; ++i) {
    reader.columns_[i] = {.at = at, .end = at + header.column_bytes[i]};
    at += header.column_bytes[i];
  }
  reader.records_left_ = header.records;
  reader.record_.timestamp_ms = 0;  // the first timestamp is stored as the difference to 0
  reader.least_ms_ = std::numeric_limits<std::int64_t>::max();
  reader.greatest_ms_ = std::numeric_limits<std::int64_t>::min();
  return reader;
}

Result<const Record*> RecordBlockReader::next() {
  if (records_left_ == 0) [[unlikely]]
    return finish();
  if (run_left_ != 0) [[likely]] {
    ++record_.offset;
  } else if (!next_offset_run()) {
    return refused(kOffsetRuns);
  }
  if (type_run_left_ == 0 && !next_type_run()) return refused(kTimestampTypes);
  if (!take_timestamp()) return refused(kTimestamps);
  std::uint64_t length;
  if (!take_number(columns_[kKeyLengths], length)) return refused(kKeyLengths);
  if (!take_nullable(columns_[kKeys], length, record_.key)) return refused(kKeys);
  if (!take_number(columns_[kValueLengths], length)) return refused(kValueLengths);
  if (!take_nullable(columns_[kValues], length, record_.value)) return refused(kValues);
  if (!take_headers()) return refused(kHeaderCounts);
  --run_left_;
  --type_run_left_;
  --records_left_;
  return &record_;
}

inline bool RecordBlockReader::take_number(Column& column, std::uint64_t& value) {
  if (column.at == column.end) return false;
  value = *column.at;
  if (value >= 0x80) return take_long_number(column, value);
  ++column.at;
  return true;
}

bool RecordBlockReader::take_long_number(Column& column, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && column.at != column.end; shift += 7) {
    const Byte b = *column.at++;
    if (shift == 63 && b > 1) return false;
    value |= std::uint64_t{b & 0x7FU} << shift;
    if (b < 0x80) return b != 0 || shift == 0;  // each value has exactly one encoding
  }
  return false;
}

inline bool RecordBlockReader::take_bytes(Column& column, std::size_t bytes, ByteView& out) {
  if (bytes > column.left()) return false;
  out = {column.at, bytes};
  column.at += bytes;
  return true;
}

// `length` is 0 for null, else one more than the bytes.
inline bool RecordBlockReader::take_nullable(Column& column, std::uint64_t length, std::optional<ByteView>& out) {
  if (length == 0) {
    out.reset();
    return true;
  }
  if (length - 1 > column.left()) return false;
  out = ByteView(column.at, length - 1);
  column.at += length - 1;
  return true;
}

inline bool RecordBlockReader::take_timestamp() {
  std::uint64_t coded;
  if (!take_number(columns_[kTimestamps], coded)) return false;
  record_.timestamp_ms = wrapped_sum(record_.timestamp_ms, unzigzag(coded));
  least_ms_ = std::min(least_ms_, record_.timestamp_ms);
  greatest_ms_ = std::max(greatest_ms_, record_.timestamp_ms);
  return true;
}

// Begins the next run of offsets, at record_.offset. Runs are as long as possible and end at the last offset.
bool RecordBlockReader::next_offset_run() {
  Column& column = columns_[kOffsetRuns];
  const bool is_first = records_left_ == header_.records;
  std::uint64_t skipped;
  if (!take_number(column, skipped) || !take_number(column, run_left_)) return false;
  if (is_first) {
    if (skipped != 0) return false;
    record_.offset = header_.first_offset;
  } else {
    const auto room = static_cast<std::uint64_t>(header_.last_offset - record_.offset);
    if (skipped == 0 || skipped >= room) return false;
    record_.offset += static_cast<std::int64_t>(skipped) + 1;
  }
  return run_left_ != 0 && run_left_ <= records_left_ &&
         run_left_ - 1 <= static_cast<std::uint64_t>(header_.last_offset - record_.offset);
}

bool RecordBlockReader::next_type_run() {
  Column& column = columns_[kTimestampTypes];
  std::uint64_t type;
  if (!take_number(column, type) || !take_number(column, type_run_left_)) return false;
  const bool is_first = records_left_ == header_.records;
  if (type > kTypeMax || (!is_first && type == static_cast<std::uint64_t>(record_.timestamp_type))) return false;
  record_.timestamp_type = static_cast<TimestampType>(type);
  return type_run_left_ != 0 && type_run_left_ <= records_left_;
}

inline bool RecordBlockReader::take_headers() {
  std::uint64_t count;
  if (!take_number(columns_[kHeaderCounts], count)) return false;
  if (count == 0 && record_.headers.empty()) return true;
  if (count > columns_[kHeaderLengths].left() / kHeaderLengthsBytesMin) return false;
  headers_.resize(count);
  for (RecordHeader& header : headers_) {
    std::uint64_t name_bytes;
    std::uint64_t value_length;
    if (!take_number(columns_[kHeaderLengths], name_bytes) || !take_number(columns_[kHeaderLengths], value_length) ||
        !take_bytes(columns_[kHeaderNames], name_bytes, header.name) ||
        !take_nullable(columns_[kHeaderValues], value_length, header.value))
      return false;
  }
  record_.headers = headers_;
  return true;
}

Error RecordBlockReader::refused(std::size_t column) {
  refused_ = true;
  const auto record = header_.records - records_left_;
  records_left_ = 0;
  return corrupt(kBlock, ": record ", record, " of ", header_.records, ", column ", column,
                 ": not what a writer would have written");
}

// What only the end of the block shows.
Result<const Record*> RecordBlockReader::finish() {
  if (refused_) return corrupt(kBlock, ": it was refused");
  for (std::size_t i = 0; i < kRecordColumns; ++i)
    if (columns_[i].left() != 0)
      return corrupt(kBlock, ": column ", i, " has ", columns_[i].left(), " bytes left over");
  if (record_.offset != header_.last_offset)
    return corrupt(kBlock, ": its last record has the offset ", record_.offset, ", expected ", header_.last_offset);
  if (least_ms_ != header_.least_ms || greatest_ms_ != header_.greatest_ms)
    return corrupt(kBlock, ": timestamps from ", least_ms_, " to ", greatest_ms_, ", expected ", header_.least_ms,
                   " to ", header_.greatest_ms);
  return static_cast<const Record*>(nullptr);
}

}  // namespace drs
