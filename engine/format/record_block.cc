#include "engine/format/record_block.h"

#include <algorithm>

#include "engine/format/corrupt.h"
#include "engine/format/record_columns.h"
#include "engine/format/varint.h"
#include "io/base/memory_writer.h"

namespace drs {
namespace {

constexpr std::string_view kBlock = "record block";
constexpr std::size_t kColumnBytesMin = 64;
constexpr std::size_t kLengthBytesMax = 5;                       // of the varint of a length
constexpr std::size_t kOffsetRunBytesMax = 2 * kVarintBytesMax;  // skipped, records
constexpr std::size_t kTypeRunBytesMax = 1 + kVarintBytesMax;    // type, records
constexpr std::size_t kRunsBytesMax = kOffsetRunBytesMax + kTypeRunBytesMax;
// What a record adds at most beside its payload and its headers: a run in each column of runs, also the one that was
// not written yet; the timestamp, two lengths and the number of headers.
constexpr std::size_t kRecordOverheadBytesMax = 2 * kRunsBytesMax + kVarintBytesMax + 3 * kLengthBytesMax;
constexpr std::size_t kHeaderOverheadBytesMax = 2 * kLengthBytesMax;

constexpr std::uint64_t nullable_length(const std::optional<ByteView>& bytes) {
  return bytes ? std::uint64_t{bytes->size()} + 1 : 0;
}

Result<void> check_columns(const RecordBlockHeader& header) {
  std::uint64_t sum_bytes = kRecordBlockHeaderBytes;
  for (const std::uint32_t bytes : header.column_bytes) sum_bytes += bytes;
  if (sum_bytes != header.bytes)
    return corrupt(kBlock, ": its columns end at ", sum_bytes, ", it has ", header.bytes, " bytes");
  for (const RecordColumn column : {kTimestamps, kKeyLengths, kValueLengths, kHeaderCounts})
    if (header.column_bytes[column] < header.records)
      return corrupt(kBlock, ": column ", std::size_t{column}, " has ", header.column_bytes[column], " bytes for ",
                     header.records, " records");
  return {};
}

Result<void> check_header(const RecordBlockHeader& header) {
  if (header.records == 0) return corrupt(kBlock, ": it has no records");
  const std::size_t bytes_max = header.records == 1 ? kRecordBytesMax : kRecordBlockBytesMax;
  if (header.bytes > bytes_max)
    return corrupt(kBlock, ": ", header.bytes, " bytes with ", header.records, " records, at most ", bytes_max,
                   " are allowed");
  if (header.first_offset < 0 || header.last_offset < header.first_offset ||
      header.last_offset - header.first_offset < std::int64_t{header.records} - 1 ||
      (header.records == 1 && header.last_offset != header.first_offset))
    return corrupt(kBlock, ": ", header.records, " records cannot have the offsets ", header.first_offset, " to ",
                   header.last_offset);
  if (header.least_ms > header.greatest_ms)
    return corrupt(kBlock, ": timestamps from ", header.least_ms, " to ", header.greatest_ms);
  return check_columns(header);
}

Byte* put_header(const RecordBlockHeader& header, Byte* at) {
  MemoryWriter writer(at);
  writer.scalar(header.bytes);
  writer.scalar(kRecordBlockLayout);
  writer.scalar(std::uint8_t{0});
  writer.scalar(static_cast<std::uint16_t>(kRecordColumns));
  writer.scalar(header.topic);
  writer.scalar(header.partition);
  writer.scalar(header.first_offset);
  writer.scalar(header.last_offset);
  writer.scalar(header.records);
  writer.scalar(header.least_ms);
  writer.scalar(header.greatest_ms);
  for (const std::uint32_t bytes : header.column_bytes) writer.scalar(bytes);
  return writer.at();
}

}  // namespace

Result<RecordBlockHeader> decode_record_block_header(ByteView bytes) {
  ByteReader reader(bytes.first(std::min(bytes.size(), kRecordBlockHeaderBytes)), kBlock);
  RecordBlockHeader header;
  header.bytes = reader.u32();
  const std::uint8_t layout = reader.u8();
  const std::uint8_t zero = reader.u8();
  const std::uint16_t columns = reader.u16();
  DRS_RETURN_IF_ERROR(reader.check());
  if (layout > kRecordBlockLayout) return too_new(kBlock, ": layout is ", layout, ", known is 1");
  if (layout == 0 || zero != 0 || columns != kRecordColumns)
    return corrupt(kBlock, ": layout ", layout, " with ", columns, " columns, expected 1 with ", kRecordColumns);
  header.topic = reader.u32();
  header.partition = reader.u32();
  header.first_offset = reader.i64();
  header.last_offset = reader.i64();
  header.records = reader.u32();
  header.least_ms = reader.i64();
  header.greatest_ms = reader.i64();
  for (std::uint32_t& column_bytes : header.column_bytes) column_bytes = reader.u32();
  DRS_RETURN_IF_ERROR(reader.finish());
  DRS_RETURN_IF_ERROR(check_header(header));
  return header;
}

void RecordBlockBuilder::begin(std::uint32_t topic, std::uint32_t partition) {
  DRS_ASSERT(empty(), "begin() in the middle of a record block");
  header_.topic = topic;
  header_.partition = partition;
}

bool RecordBlockBuilder::has_room_for(const Record& record) const {
  const std::uint64_t bytes = kRecordBlockHeaderBytes + columns_bytes_ + kRecordOverheadBytesMax +
                              kHeaderOverheadBytesMax * record.headers.size() + payload_bytes(record);
  return bytes <= kRecordBlockBytesMax || empty();
}

inline std::size_t RecordBlockBuilder::put_number(Column& column, std::uint64_t value) {
  if (value >= 0x80 || column.bytes == column.capacity_bytes) return put_long_number(column, value);
  column.memory[column.bytes++] = static_cast<Byte>(value);
  return 1;
}

std::size_t RecordBlockBuilder::put_long_number(Column& column, std::uint64_t value) {
  make_room(column, kVarintBytesMax);
  Byte* const begin = column.memory.get() + column.bytes;
  Byte* at = begin;
  for (; value >= 0x80; value >>= 7) *at++ = static_cast<Byte>(value | 0x80);
  *at++ = static_cast<Byte>(value);
  const auto bytes = static_cast<std::size_t>(at - begin);
  column.bytes += bytes;
  return bytes;
}

inline std::size_t RecordBlockBuilder::put_bytes(Column& column, ByteView bytes) {
  if (bytes.empty()) return 0;
  make_room(column, bytes.size());
  std::memcpy(column.memory.get() + column.bytes, bytes.data(), bytes.size());
  column.bytes += bytes.size();
  return bytes.size();
}

// Offsets, types of timestamps, and what the header says of all records.
inline std::size_t RecordBlockBuilder::add_runs(const Record& record) {
  std::size_t bytes = 0;
  if (empty()) {
    DRS_ASSERT(record.offset >= 0, "an offset is negative");
    header_.first_offset = record.offset;
    header_.least_ms = header_.greatest_ms = record.timestamp_ms;
    type_ = record.timestamp_type;
  } else {
    DRS_ASSERT(record.offset > header_.last_offset, "offsets of records do not grow");
    if (record.offset != header_.last_offset + 1) {
      bytes += put_number(columns_[kOffsetRuns], run_skipped_);
      bytes += put_number(columns_[kOffsetRuns], run_records_);
      run_skipped_ = static_cast<std::uint64_t>(record.offset - header_.last_offset - 1);
      run_records_ = 0;
    }
    if (record.timestamp_type != type_) {
      bytes += put_number(columns_[kTimestampTypes], static_cast<std::uint64_t>(type_));
      bytes += put_number(columns_[kTimestampTypes], type_run_records_);
      type_ = record.timestamp_type;
      type_run_records_ = 0;
    }
    header_.least_ms = std::min(header_.least_ms, record.timestamp_ms);
    header_.greatest_ms = std::max(header_.greatest_ms, record.timestamp_ms);
  }
  header_.last_offset = record.offset;
  ++header_.records;
  ++run_records_;
  ++type_run_records_;
  return bytes;
}

void RecordBlockBuilder::add(const Record& record) {
  std::size_t bytes = add_runs(record);
  bytes += put_number(columns_[kTimestamps], zigzag(wrapped_difference(record.timestamp_ms, last_timestamp_ms_)));
  last_timestamp_ms_ = record.timestamp_ms;
  bytes += put_number(columns_[kKeyLengths], nullable_length(record.key));
  bytes += put_number(columns_[kValueLengths], nullable_length(record.value));
  bytes += put_number(columns_[kHeaderCounts], record.headers.size());
  if (!record.headers.empty()) bytes += add_headers(record.headers);
  if (record.key) bytes += put_bytes(columns_[kKeys], *record.key);
  if (record.value) bytes += put_bytes(columns_[kValues], *record.value);
  columns_bytes_ += bytes;
  DRS_ASSERT(kRecordBlockHeaderBytes + columns_bytes_ + kRunsBytesMax <=
                 (header_.records == 1 ? kRecordBytesMax : kRecordBlockBytesMax),
             "a record block has no room for this record");
}

std::size_t RecordBlockBuilder::add_headers(std::span<const RecordHeader> headers) {
  std::size_t bytes = 0;
  for (const RecordHeader& header : headers) {
    bytes += put_number(columns_[kHeaderLengths], header.name.size());
    bytes += put_number(columns_[kHeaderLengths], nullable_length(header.value));
    bytes += put_bytes(columns_[kHeaderNames], header.name);
    if (header.value) bytes += put_bytes(columns_[kHeaderValues], *header.value);
  }
  return bytes;
}

void RecordBlockBuilder::grow(Column& column, std::size_t more_bytes) {
  const std::size_t capacity_bytes =
      std::max({column.bytes + more_bytes, column.capacity_bytes + column.capacity_bytes / 2, kColumnBytesMin});
  auto memory = std::make_unique_for_overwrite<Byte[]>(capacity_bytes);
  if (column.bytes != 0) std::memcpy(memory.get(), column.memory.get(), column.bytes);
  column.memory = std::move(memory);
  column.capacity_bytes = capacity_bytes;
}

RecordBlockHeader RecordBlockBuilder::header() const {
  RecordBlockHeader header = header_;
  for (std::size_t i = 0; i < kRecordColumns; ++i)
    header.column_bytes[i] = static_cast<std::uint32_t>(columns_[i].bytes);
  header.column_bytes[kOffsetRuns] +=
      static_cast<std::uint32_t>(varint_bytes(run_skipped_) + varint_bytes(run_records_));
  header.column_bytes[kTimestampTypes] +=
      static_cast<std::uint32_t>(varint_bytes(static_cast<std::uint64_t>(type_)) + varint_bytes(type_run_records_));
  header.bytes = kRecordBlockHeaderBytes;
  for (const std::uint32_t bytes : header.column_bytes) header.bytes += bytes;
  return header;
}

void RecordBlockBuilder::encode(MutableByteView out) {
  DRS_ASSERT(!empty(), "a record block without records");
  const RecordBlockHeader header = this->header();
  DRS_ASSERT(out.size() == header.bytes, "the room for a record block has another size");
  put_number(columns_[kOffsetRuns], run_skipped_);
  put_number(columns_[kOffsetRuns], run_records_);
  put_number(columns_[kTimestampTypes], static_cast<std::uint64_t>(type_));
  put_number(columns_[kTimestampTypes], type_run_records_);
  Byte* at = put_header(header, out.data());
  for (const Column& column : columns_) {
    if (column.bytes != 0) std::memcpy(at, column.memory.get(), column.bytes);
    at += column.bytes;
  }
  clear();
}

void RecordBlockBuilder::clear() {
  std::size_t capacity_bytes = 0;
  for (Column& column : columns_) {
    column.bytes = 0;
    capacity_bytes += column.capacity_bytes;
  }
  if (capacity_bytes > 2 * kRecordBlockBytesMax) columns_ = {};
  header_ = {.topic = header_.topic, .partition = header_.partition};
  columns_bytes_ = 0;
  run_skipped_ = run_records_ = type_run_records_ = 0;
  last_timestamp_ms_ = 0;
}

}  // namespace drs
