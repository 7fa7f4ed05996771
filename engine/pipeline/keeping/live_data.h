// What must not be deleted: the blocks of all live snapshots, of those that were removed within the undo time, and of
// those that are held, with the packs and the index in which they lie.
//
// Lists are made in the order manifests, removal marks, retired objects, holds (decision 0006), and then packs and
// index: these have all blocks of the snapshots that were listed, unless a prune deletes some meanwhile.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "engine/pipeline/keeping/block_set.h"
#include "engine/repository/block_index.h"
#include "engine/repository/holds.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/run_control.h"

namespace drs {

struct LiveData {
  SnapshotCatalog snapshots;
  Holds holds;
  std::vector<std::string> protected_removed;  // manifests that are removed, but within the undo time, or held
  std::unique_ptr<PackCatalog> packs;
  std::unique_ptr<BlockIndex> index;  // refers to *packs
  BlockSet blocks;                    // recipe blocks included
  // What could not be read and may protect anything: while there are some, nothing is deleted.
  std::vector<std::string> problems;
};

struct LiveDataOptions {
  WallNs now_ns = 0;  // the store's time
  std::chrono::nanoseconds undo{};
  std::size_t index_cache_bytes = 16 * kMiB;
};

// Begins again when an object vanishes that was listed. Errors: kUnavailable (objects vanish each time they are
// listed), kCancelled, the store's.
Result<LiveData> load_live_data(Repository& repository, const LiveDataOptions& options, const RunControl& control);

}  // namespace drs
