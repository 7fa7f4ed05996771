// SimFileData: the contents of one simulated file, as processes see them and as a power cut would leave them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "io/base/bytes.h"

namespace drs {

class SimFileData {
 public:
  [[nodiscard]] ByteView seen() const { return seen_; }
  [[nodiscard]] std::uint64_t allocated_bytes() const { return std::max<std::uint64_t>(seen_.size(), reserved_bytes_); }
  void write(std::uint64_t offset_bytes, ByteView bytes);
  void truncate(std::uint64_t size_bytes);
  void reserve(std::uint64_t size_bytes) { reserved_bytes_ = std::max(reserved_bytes_, size_bytes); }
  // Makes everything written so far durable.
  void sync();
  // Models a failed sync as kernels handle it: the pages are marked clean, and no later sync makes them durable.
  void sync_failed() { unsynced_.clear(); }
  // Keeps synced data and a random subset of the unsynced changes, with writes torn at sector boundaries.
  void power_cut(std::mt19937_64& random);

 private:
  struct Change {
    bool truncates = false;
    std::uint64_t offset_bytes = 0;  // the new size if `truncates`
    Bytes bytes;
  };
  static void apply(const Change& change, Bytes& content);

  Bytes seen_;
  Bytes durable_;
  std::vector<Change> unsynced_;
  std::uint64_t reserved_bytes_ = 0;
};

}  // namespace drs
