#include "verify/damage_map.h"

#include <algorithm>
#include <utility>

namespace drs {

void DamageMap::add_pack(const Digest& pack, std::size_t finding) {
  const std::scoped_lock lock(mutex_);
  packs_[pack] = Damage{.finding = finding, .all_blocks = true, .offsets_bytes = {}};
}

void DamageMap::add_blocks(const Digest& pack, std::size_t finding, const std::vector<DamagedBlock>& blocks) {
  std::vector<std::uint32_t> offsets_bytes;
  for (const DamagedBlock& block : blocks) offsets_bytes.push_back(block.offset_bytes);
  std::sort(offsets_bytes.begin(), offsets_bytes.end());
  const std::scoped_lock lock(mutex_);
  const bool fits = blocks_ + offsets_bytes.size() <= kBlocksMax;
  if (fits)
    blocks_ += offsets_bytes.size();
  else
    offsets_bytes.clear();
  packs_[pack] = Damage{.finding = finding, .all_blocks = !fits, .offsets_bytes = std::move(offsets_bytes)};
}

std::optional<std::size_t> DamageMap::find(const BlockLocation& location) const {
  const std::scoped_lock lock(mutex_);
  const auto found = packs_.find(location.pack);
  if (found == packs_.end()) return std::nullopt;
  const Damage& damage = found->second;
  const bool hit = damage.all_blocks || std::binary_search(damage.offsets_bytes.begin(), damage.offsets_bytes.end(),
                                                           location.record.offset_bytes);
  if (!hit) return std::nullopt;
  return damage.finding;
}

}  // namespace drs
