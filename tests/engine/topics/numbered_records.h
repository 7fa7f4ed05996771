// Records that tests of archives put into a cluster in memory, each known by its offset.
#pragma once

#include <string>

#include "tests/engine/topics/fake_kafka.h"

namespace drs::test {

// The record at offset `n`.
inline FakeRecord numbered(std::int64_t n) {
  return {.timestamp_ms = 1'600'000'000'000 + n, .key = std::to_string(n % 5), .value = "value " + std::to_string(n)};
}

// Appends as many; their values have `value_bytes`, unless that is 0.
inline void append(FakePartition& partition, int count, std::size_t value_bytes = 0) {
  for (int i = 0; i < count; ++i) {
    FakeRecord record = numbered(partition.end);
    if (value_bytes > 0) record.value->resize(value_bytes, static_cast<char>('a' + partition.end % 26));
    partition.append(std::move(record));
  }
}

}  // namespace drs::test
