// Which snapshots others cannot be restored without. Threads: any.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/repository/snapshots.h"

namespace drs {

// A tag of a snapshot with this key names snapshots that it cannot be restored without: their ids, separated by commas.
// The id of a removed snapshot that was brought back (unforget.h) names the one that is live again.
inline constexpr std::string_view kNeedsTag = "needs";

// Few snapshots have the tag.
class Needs {
 public:
  // `catalog` must outlive it.
  explicit Needs(const SnapshotCatalog& catalog);
  // What the snapshots need that stay, and what these need.
  [[nodiscard]] std::unordered_set<const Snapshot*> of(const std::function<bool(const Snapshot&)>& stays) const;
  [[nodiscard]] const std::unordered_map<const Snapshot*, std::vector<const Snapshot*>>& all() const { return needed_; }

 private:
  std::unordered_map<const Snapshot*, std::vector<const Snapshot*>> needed_;
};

// The ids in the tag kNeedsTag of which no snapshot is live.
std::vector<std::string> unmet_needs(const SnapshotCatalog& catalog, const ManifestHeader& manifest);

}  // namespace drs
