#include "io/sim_file_data.h"

#include <algorithm>
#include <cstring>

namespace drs {
namespace {

constexpr std::size_t kSectorBytes = 512;  // the unit that a disk writes atomically

}  // namespace

void SimFileData::apply(const Change& change, Bytes& content) {
  if (change.truncates) {
    content.resize(change.offset_bytes);
    return;
  }
  content.resize(std::max<std::size_t>(content.size(), change.offset_bytes + change.bytes.size()));
  if (!change.bytes.empty())
    std::memcpy(content.data() + change.offset_bytes, change.bytes.data(), change.bytes.size());
}

void SimFileData::write(std::uint64_t offset_bytes, ByteView bytes) {
  unsynced_.push_back({.truncates = false, .offset_bytes = offset_bytes, .bytes = Bytes(bytes.begin(), bytes.end())});
  apply(unsynced_.back(), seen_);
}

void SimFileData::truncate(std::uint64_t size_bytes) {
  unsynced_.push_back({.truncates = true, .offset_bytes = size_bytes, .bytes = {}});
  apply(unsynced_.back(), seen_);
  reserved_bytes_ = 0;
}

void SimFileData::sync() {
  for (const Change& change : unsynced_) apply(change, durable_);
  unsynced_.clear();
}

void SimFileData::power_cut(std::mt19937_64& random) {
  for (const Change& change : unsynced_) {
    const auto fate = random() % 3;
    if (fate == 0) continue;
    if (fate == 1 || change.truncates) {
      apply(change, durable_);
      continue;
    }
    for (std::size_t at = 0; at < change.bytes.size();) {
      const std::size_t to_sector_end = kSectorBytes - (change.offset_bytes + at) % kSectorBytes;
      const std::size_t size = std::min(to_sector_end, change.bytes.size() - at);
      if (random() % 2 == 0) {
        const auto first = change.bytes.begin() + static_cast<std::ptrdiff_t>(at);
        apply({.truncates = false,
               .offset_bytes = change.offset_bytes + at,
               .bytes = Bytes(first, first + static_cast<std::ptrdiff_t>(size))},
              durable_);
      }
      at += size;
    }
  }
  unsynced_.clear();
  seen_ = durable_;
  reserved_bytes_ = 0;
}

}  // namespace drs
