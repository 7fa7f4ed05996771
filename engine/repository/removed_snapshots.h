// The snapshots that were removed (`drstream forget`): what is known of each, and whether its manifest is still there,
// so that it may be brought back (engine/pipeline/keeping/unforget.h).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"

namespace drs {

struct RemovedSnapshot {
  Removal removal;
  bool manifest_exists = false;
  std::optional<Snapshot> snapshot;  // if its manifest exists and can be read
  std::optional<Error> problem;      // of a manifest that exists and cannot be read
};

// In the order in which they were removed. Lists manifests and reads those that are removed. Errors: the store's.
Result<std::vector<RemovedSnapshot>> load_removed_snapshots(Repository& repository, const SnapshotCatalog& catalog);

// Finds a removed snapshot by its id or the first 8 or more digits of it. Errors: kUsage (the text is no id; it begins
// several), kNoSnapshot (none was removed; the text says if it is live).
Result<const Removal*> find_removed(const SnapshotCatalog& catalog, std::string_view text);

// Returns the live snapshot that an unforget has made of `removed`: equal but for its id. nullptr if there is none.
const Snapshot* brought_back_as(const SnapshotCatalog& catalog, const ManifestHeader& removed);

}  // namespace drs
