#include "engine/pipeline/locked_objects.h"

#include "engine/format/names.h"

namespace drs {

Result<void> LockedObjects::add(const RecipePart& part) {
  for (const BlockId& id : part.blocks) {
    if (id.session == session_) continue;
    const auto location = index_.locate(id);
    if (!location.ok()) return location.error().with_context("looking for what the snapshot reuses, to lock it");
    packs_.insert(location->pack);
    if (!index_.unit_is_uncovered_pack(location->place.unit)) units_.insert(location->place.unit);
  }
  return {};
}

void LockedObjects::add_own(const PublishedIndex& published) {
  for (const IndexedPack& pack : published.summary.packs) own_packs_.push_back(pack.name);
  own_indexes_.push_back(published.name);
}

std::vector<ObjectKey> LockedObjects::names(bool own) const {
  std::vector<ObjectKey> names;
  for (const Digest& pack : packs_) names.push_back(pack_name(pack));
  for (const std::uint32_t unit : units_) names.push_back(index_.unit_name(unit));
  if (own) {
    for (const Digest& pack : own_packs_) names.push_back(pack_name(pack));
    names.insert(names.end(), own_indexes_.begin(), own_indexes_.end());
  }
  return names;
}

}  // namespace drs
