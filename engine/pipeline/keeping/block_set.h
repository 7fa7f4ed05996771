// A set of block ids, as bits: the blocks that live snapshots need. Ids of one session are dense, so a block takes
// little more than a bit: 25 MB for the 100 million blocks of 100 TB. Threads: one at a time for `add`, any for the
// rest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "engine/format/kinds.h"

namespace drs {

class BlockSet {
 public:
  // Returns whether the block is new in the set.
  bool add(const BlockId& block);
  [[nodiscard]] bool contains(const BlockId& block) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  // One page holds the bits of this many consecutive counters of a session.
  static constexpr std::uint64_t kPageBlocks = 1024;
  using Page = std::array<std::uint64_t, kPageBlocks / 64>;
  std::unordered_map<BlockId, std::unique_ptr<Page>, BlockIdHash> pages_;  // counter: the number of the page
  std::uint64_t size_ = 0;
};

}  // namespace drs
