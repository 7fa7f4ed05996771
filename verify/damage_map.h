// Which packs, and which blocks in them, a verify run has found damaged, so that the recipes which need them can be
// told of it.
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
  // Blocks kept one by one over all packs; beyond, a damaged pack counts as damaged in all its blocks.
  static constexpr std::size_t kBlocksMax = 2'000'000;

  // Every block of the pack. `finding`: its number in the FindingList.
  void add_pack(const Digest& pack, std::size_t finding);
  // The blocks with these seals, beside those that are known.
  void add_blocks(const Digest& pack, std::size_t finding, const std::vector<DamagedBlock>& blocks);
  // One block of a pack that was added is whole: it was read. Adding the pack again forgets it.
  void add_whole_block(const BlockLocation& location);
  // The finding that damages this block.
  [[nodiscard]] std::optional<std::size_t> find(const BlockLocation& location) const;
  // How many packs are damaged in every block.
  [[nodiscard]] std::size_t whole_packs() const;

 private:
  struct Damage {
    std::size_t finding = 0;
    bool all_blocks = false;
    std::vector<std::uint32_t>
        offsets_bytes;  // sorted: of the damaged blocks; with `all_blocks`, of those that are not
  };
  mutable std::mutex mutex_;
  std::unordered_map<Digest, Damage, FixedBytesHash> packs_;
  std::size_t blocks_ = 0;
  std::size_t whole_packs_ = 0;
};

}  // namespace drs
