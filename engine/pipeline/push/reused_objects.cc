#include "engine/pipeline/push/reused_objects.h"

#include <array>
#include <set>
#include <utility>

#include "engine/format/names.h"
#include "engine/repository/listed_again.h"

namespace drs {
namespace {

// `names` without the index objects that the store does not list, plus the config and the key slots.
Result<std::set<ObjectKey>> listed_now(ObjectStore& store, const std::vector<ObjectKey>& names) {
  constexpr std::array<std::string_view, 3> kPrefixes = {"config/", "keys/", "index/"};
  std::set<ObjectKey> now;
  std::unordered_set<ObjectKey> index;
  DRS_RETURN_IF_ERROR(store.list_together(kPrefixes, [&](const ObjectInfo& info) -> Result<void> {
    const auto parsed = parse_name(info.key);
    if (!parsed) return {};
    if (parsed->kind == ObjectKind::kIndex)
      index.insert(info.key);
    else
      now.insert(info.key);
    return {};
  }));
  for (const ObjectKey& name : names)
    if (!name.starts_with("index/") || index.contains(name)) now.insert(name);
  return now;
}

}  // namespace

void ReusedObjects::add(const BlockLocation& block) {
  packs_.insert(block.pack);
  if (!index_.unit_is_uncovered_pack(block.place.unit)) units_.insert(block.place.unit);
}

void ReusedObjects::add_own(const PublishedIndex& published) {
  for (const IndexedPack& pack : published.summary.packs) own_packs_.push_back(pack.name);
  own_indexes_.push_back(published.name);
}

std::vector<ObjectKey> ReusedObjects::names() const {
  std::vector<ObjectKey> names;
  for (const Digest& pack : packs_) names.push_back(pack_name(pack));
  for (const std::uint32_t unit : units_) names.push_back(index_.unit_name(unit));
  return names;
}

std::vector<ObjectKey> ReusedObjects::names_with_own() const {
  std::vector<ObjectKey> all = names();
  for (const Digest& pack : own_packs_) all.push_back(pack_name(pack));
  all.insert(all.end(), own_indexes_.begin(), own_indexes_.end());
  return all;
}

Result<void> secure_for_commit(ObjectStore& store, std::vector<ObjectKey> names) {
  if (!store.secures()) return {};
  std::set<ObjectKey> tried;
  Result<void> secured;
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    DRS_ASSIGN_OR_RETURN(std::set<ObjectKey> now, listed_now(store, names));
    // The same names as before: a new list does not explain the missing object. It is a pack, or the store lists an
    // object that it does not have.
    if (attempt > 0 && now == tried) return secured;
    secured = store.secure({now.begin(), now.end()});
    if (secured.ok() || secured.error().code != ErrorCode::kIo) return secured;
    tried = std::move(now);
  }
  return secured;
}

}  // namespace drs
