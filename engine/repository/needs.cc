#include "engine/repository/needs.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/format/names.h"
#include "io/base/ascii.h"

namespace drs {
namespace {

constexpr std::size_t kNeededIdDigitsMin = 8;

// The ids in a snapshot's tag `needs`, in small letters; also the first digits of one.
std::vector<std::string> needed_ids(const ManifestHeader& manifest) {
  std::vector<std::string> ids;
  const auto tag = manifest.tags.find(std::string(kNeedsTag));
  if (tag == manifest.tags.end()) return ids;
  std::string_view rest = tag->second;
  while (!rest.empty()) {
    std::string_view id = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(id.size() + 1, rest.size()));
    while (id.starts_with(' ')) id.remove_prefix(1);
    while (id.ends_with(' ')) id.remove_suffix(1);
    if (id.size() >= kNeededIdDigitsMin) ids.push_back(ascii_lower(id));
  }
  return ids;
}

using SnapshotsById = std::vector<std::pair<std::string, const Snapshot*>>;

// The live snapshots by their ids, and by that of a removed one that was brought back: it has a new id and its old
// number. Sorted.
SnapshotsById snapshots_by_id(const SnapshotCatalog& catalog) {
  SnapshotsById by_id;
  std::multimap<std::pair<std::string_view, std::uint64_t>, const Snapshot*> by_number;
  for (const Snapshot& snapshot : catalog.live) {
    by_id.emplace_back(snapshot.id(), &snapshot);
    by_number.emplace(std::pair(std::string_view(snapshot.manifest.stream), snapshot.manifest.sequence), &snapshot);
  }
  for (const Removal& removal : catalog.removed) {
    const auto parsed = parse_name(removal.manifest_name);
    const auto [first, last] = by_number.equal_range({removal.stream, removal.sequence});
    for (auto same = first; same != last && parsed; ++same) by_id.emplace_back(parsed->uuid.hex(), same->second);
  }
  std::ranges::sort(by_id);
  return by_id;
}

}  // namespace

Needs::Needs(const SnapshotCatalog& catalog) {
  SnapshotsById by_id;
  for (const Snapshot& snapshot : catalog.live) {
    const std::vector<std::string> ids = needed_ids(snapshot.manifest);
    if (ids.empty()) continue;
    if (by_id.empty()) by_id = snapshots_by_id(catalog);
    for (const std::string& id : ids)
      for (auto other = std::ranges::lower_bound(by_id, id, {}, &SnapshotsById::value_type::first);
           other != by_id.end() && other->first.starts_with(id); ++other)
        if (other->second != &snapshot) needed_[&snapshot].push_back(other->second);
  }
}

std::unordered_set<const Snapshot*> Needs::of(const std::function<bool(const Snapshot&)>& stays) const {
  std::unordered_set<const Snapshot*> needed;
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [snapshot, others] : needed_) {
      if (!needed.contains(snapshot) && !stays(*snapshot)) continue;
      for (const Snapshot* const other : others) changed = needed.insert(other).second || changed;
    }
  }
  return needed;
}

std::vector<std::string> unmet_needs(const SnapshotCatalog& catalog, const ManifestHeader& manifest) {
  std::vector<std::string> unmet = needed_ids(manifest);
  if (unmet.empty()) return unmet;
  const SnapshotsById by_id = snapshots_by_id(catalog);
  std::erase_if(unmet, [&](const std::string& id) {
    const auto found = std::ranges::lower_bound(by_id, id, {}, &SnapshotsById::value_type::first);
    return found != by_id.end() && found->first.starts_with(id);
  });
  return unmet;
}

}  // namespace drs
