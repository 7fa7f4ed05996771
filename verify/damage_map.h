// The damaged packs and blocks that a verify run has found. The check of the recipes looks up here which snapshots they
// affect.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/repository/block_index.h"

namespace drs {

// Any thread.
class DamageMap {
 public:
  // The most blocks that are kept one by one, over all packs. Beyond that, a damaged pack counts as damaged in all its
  // blocks.
  static constexpr std::size_t kBlocksMax = 2'000'000;

  // Marks every block of the pack as damaged. `finding`: its number in the FindingList.
  void add_pack(const Digest& pack, std::size_t finding);
  // Adds these blocks to those that are known.
  void add_blocks(const Digest& pack, std::size_t finding, const std::vector<DamagedBlock>& blocks);
  // Notes that one block of an added pack was read and is intact. Adding the pack again forgets this.
  void add_whole_block(const BlockLocation& location);
  // The finding for this block. Empty if it is not damaged.
  [[nodiscard]] std::optional<std::size_t> find(const BlockLocation& location) const;
  // How many packs are damaged in every block.
  [[nodiscard]] std::size_t whole_packs() const;

 private:
  struct Damage {
    std::size_t finding = 0;
    bool all_blocks = false;
    // Sorted. Of the damaged blocks; with `all_blocks`, of the intact ones.
    std::vector<std::uint32_t> offsets_bytes;
  };
  mutable std::mutex mutex_;
  std::unordered_map<Digest, Damage, FixedBytesHash> packs_;
  std::size_t blocks_ = 0;
  std::size_t whole_packs_ = 0;
};

}  // namespace drs
