#include "engine/pipeline/reused_objects.h"

#include <array>

#include "engine/format/names.h"

namespace drs {

Result<void> ReusedObjects::add(const RecipePart& part) {
  for (const BlockId& id : part.blocks) {
    if (id.session == session_) continue;
    const auto location = index_.locate(id);
    if (!location.ok() && index_.vanished())
      return Error(
          ErrorCode::kConflict,
          "an index object was replaced (`drstream repair index`) while it was in use: " + location.error().message);
    if (!location.ok()) return location.error().with_context("looking for what the snapshot reuses");
    packs_.insert(location->pack);
    if (!index_.unit_is_uncovered_pack(location->place.unit)) units_.insert(location->place.unit);
  }
  return {};
}

void ReusedObjects::add_own(const PublishedIndex& published) {
  for (const IndexedPack& pack : published.summary.packs) own_packs_.push_back(pack.name);
  own_indexes_.push_back(published.name);
}

std::vector<ObjectKey> ReusedObjects::names(bool own) const {
  std::vector<ObjectKey> names;
  for (const Digest& pack : packs_) names.push_back(pack_name(pack));
  for (const std::uint32_t unit : units_) names.push_back(index_.unit_name(unit));
  if (own) {
    for (const Digest& pack : own_packs_) names.push_back(pack_name(pack));
    names.insert(names.end(), own_indexes_.begin(), own_indexes_.end());
  }
  return names;
}

Result<void> secure_for_commit(ObjectStore& store, std::vector<ObjectKey> names) {
  if (!store.secures()) return {};
  constexpr std::array<std::string_view, 3> kPrefixes = {"config/", "keys/", "index/"};
  std::unordered_set<ObjectKey> index;
  DRS_RETURN_IF_ERROR(store.list_together(kPrefixes, [&](const ObjectInfo& info) -> Result<void> {
    const auto parsed = parse_name(info.key);
    if (!parsed) return {};
    if (parsed->kind == ObjectKind::kIndex)
      index.insert(info.key);
    else
      names.push_back(info.key);
    return {};
  }));
  // A repair has replaced it. Nothing relies on it: packs say themselves which blocks they hold.
  std::erase_if(names, [&](const ObjectKey& name) { return name.starts_with("index/") && !index.contains(name); });
  return store.secure(names);
}

}  // namespace drs
