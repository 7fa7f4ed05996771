// The blocks that this push has made and that no index object covers yet: their chunks, by counter. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/format/kinds.h"

namespace drs {

class SessionBlocks {
 public:
  using Chunks = std::shared_ptr<const std::vector<ChunkEntry>>;
  void add(std::uint64_t counter, Chunks chunks) {
    const std::lock_guard lock(mutex_);
    blocks_.emplace(counter, std::move(chunks));
  }
  // Returns nullptr if the block was published or never made.
  [[nodiscard]] Chunks find(std::uint64_t counter) const {
    const std::lock_guard lock(mutex_);
    const auto found = blocks_.find(counter);
    return found == blocks_.end() ? nullptr : found->second;
  }
  void remove(std::uint64_t counter) {
    const std::lock_guard lock(mutex_);
    blocks_.erase(counter);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Chunks> blocks_;
};

}  // namespace drs
