#include "verify/damage_map.h"

#include <algorithm>

namespace drs {

void DamageMap::add_pack(const Digest& pack, std::size_t finding) {
  const std::scoped_lock lock(mutex_);
  Damage& damage = packs_[pack];
  if (!damage.all_blocks) ++whole_packs_;
  blocks_ -= damage.offsets_bytes.size();
  damage = Damage{.finding = finding, .all_blocks = true, .offsets_bytes = {}};
}

void DamageMap::add_blocks(const Digest& pack, std::size_t finding, const std::vector<DamagedBlock>& blocks) {
  {
    const std::scoped_lock lock(mutex_);
    if (blocks_ + blocks.size() <= kBlocksMax) {
      Damage& damage = packs_[pack];
      damage.finding = finding;
      if (damage.all_blocks) return;
      for (const DamagedBlock& block : blocks) damage.offsets_bytes.push_back(block.offset_bytes);
      std::sort(damage.offsets_bytes.begin(), damage.offsets_bytes.end());
      blocks_ += blocks.size();
      return;
    }
  }
  add_pack(pack, finding);
}

void DamageMap::add_whole_block(const BlockLocation& location) {
  const std::scoped_lock lock(mutex_);
  const auto found = packs_.find(location.pack);
  if (found == packs_.end() || !found->second.all_blocks || blocks_ >= kBlocksMax) return;
  std::vector<std::uint32_t>& offsets = found->second.offsets_bytes;
  const std::uint32_t offset_bytes = location.record.offset_bytes;
  const auto at = std::lower_bound(offsets.begin(), offsets.end(), offset_bytes);
  if (at != offsets.end() && *at == offset_bytes) return;
  offsets.insert(at, offset_bytes);
  ++blocks_;
}

std::size_t DamageMap::whole_packs() const {
  const std::scoped_lock lock(mutex_);
  return whole_packs_;
}

std::optional<std::size_t> DamageMap::find(const BlockLocation& location) const {
  const std::scoped_lock lock(mutex_);
  const auto found = packs_.find(location.pack);
  if (found == packs_.end()) return std::nullopt;
  const Damage& damage = found->second;
  const bool named =
      std::binary_search(damage.offsets_bytes.begin(), damage.offsets_bytes.end(), location.record.offset_bytes);
  if (named == damage.all_blocks) return std::nullopt;
  return damage.finding;
}

}  // namespace drs
