// A Kafka record on its way between a broker and an archive.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "io/base/bytes.h"

namespace drs {

// Stored (FORMAT.md "Record block"). kNone: the message format of Kafka before 0.10 has no timestamps.
enum class TimestampType : std::uint8_t { kNone = 0, kCreateTime = 1, kLogAppendTime = 2 };

struct RecordHeader {
  ByteView name;
  std::optional<ByteView> value;  // null differs from empty, here and below
};

// Borrows all its bytes.
struct Record {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = -1;  // since 1970-01-01 UTC; -1 for kNone, and where the producer sent that
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  std::span<const RecordHeader> headers;  // in order; names may repeat
};

// The bytes of a record that its producer chose: key, value, names and values of headers.
inline std::uint64_t payload_bytes(const Record& record) {
  std::uint64_t bytes = 0;
  if (record.key) bytes += record.key->size();
  if (record.value) bytes += record.value->size();
  for (const RecordHeader& header : record.headers) {
    bytes += header.name.size();
    if (header.value) bytes += header.value->size();
  }
  return bytes;
}

}  // namespace drs
