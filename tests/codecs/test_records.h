// Kafka records that own their bytes, and arbitrary ones from a seed.
#pragma once

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "io/base/record.h"

namespace drs {

struct TestHeader {
  std::string name;
  std::optional<std::string> value;
  friend bool operator==(const TestHeader&, const TestHeader&) = default;
};

struct TestRecord {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<TestHeader> headers;
  friend bool operator==(const TestRecord&, const TestRecord&) = default;
};

// Lends a TestRecord; both must outlive the use of record().
class RecordView {
 public:
  explicit RecordView(const TestRecord& source) {
    const auto view = [](const std::optional<std::string>& text) {
      return text ? std::optional<ByteView>(as_bytes(*text)) : std::nullopt;
    };
    for (const TestHeader& header : source.headers) headers_.push_back({as_bytes(header.name), view(header.value)});
    record_ = {.offset = source.offset,
               .timestamp_ms = source.timestamp_ms,
               .timestamp_type = source.timestamp_type,
               .key = view(source.key),
               .value = view(source.value),
               .headers = headers_};
  }
  RecordView(const RecordView&) = delete;
  RecordView& operator=(const RecordView&) = delete;
  [[nodiscard]] const Record& record() const { return record_; }

 private:
  std::vector<RecordHeader> headers_;
  Record record_;
};

inline TestRecord copy_of(const Record& record) {
  const auto text = [](const std::optional<ByteView>& bytes) {
    return bytes ? std::optional<std::string>(as_text(*bytes)) : std::nullopt;
  };
  TestRecord out{.offset = record.offset,
                 .timestamp_ms = record.timestamp_ms,
                 .timestamp_type = record.timestamp_type,
                 .key = text(record.key),
                 .value = text(record.value),
                 .headers = {}};
  for (const RecordHeader& header : record.headers)
    out.headers.push_back({std::string(as_text(header.name)), text(header.value)});
  return out;
}

class ArbitraryRecords {
 public:
  explicit ArbitraryRecords(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  // Records of a partition: keys and values that are null, empty, short or, rarely, longer than a varint of one byte
  // says; headers with equal names; timestamps that jump to all limits; gaps between offsets.
  std::vector<TestRecord> records(std::size_t count) {
    std::vector<TestRecord> out;
    std::int64_t offset = below(4) == 0 ? static_cast<std::int64_t>(below(std::uint64_t{1} << 62)) : 0;
    std::int64_t timestamp_ms = 1'700'000'000'000;
    auto type = TimestampType::kCreateTime;
    for (std::size_t i = 0; i < count; ++i, ++offset) {
      if (below(5) == 0) offset += static_cast<std::int64_t>(below(below(9) == 0 ? 100'000 : 4));
      if (below(8) == 0) type = static_cast<TimestampType>(below(3));
      timestamp_ms = next_timestamp(timestamp_ms);
      out.push_back({.offset = offset,
                     .timestamp_ms = timestamp_ms,
                     .timestamp_type = type,
                     .key = nullable(40),
                     .value = nullable(below(9) == 0 ? 1000 : 60),
                     .headers = {}});
      const std::uint64_t headers = below(3) == 0 ? below(4) : 0;
      for (std::uint64_t header = 0; header < headers; ++header)
        out.back().headers.push_back({below(2) == 0 ? "trace" : text(3), nullable(10)});
    }
    return out;
  }

 private:
  std::int64_t next_timestamp(std::int64_t before) {
    using Limits = std::numeric_limits<std::int64_t>;
    switch (below(10)) {
      case 0: return -1;
      case 1: return 0;
      case 2: return Limits::min();
      case 3: return Limits::max();
      default: return static_cast<std::int64_t>(static_cast<std::uint64_t>(before) + below(50) - 20);
    }
  }
  std::string text(std::uint64_t bytes_max) {
    std::string out(below(bytes_max + 1), '\0');
    for (char& c : out) c = static_cast<char>(below(256));
    return out;
  }
  std::optional<std::string> nullable(std::uint64_t bytes_max) {
    if (below(5) == 0) return std::nullopt;
    if (below(8) == 0) return std::string();
    return text(bytes_max);
  }

  std::mt19937_64 random_;
};

}  // namespace drs
