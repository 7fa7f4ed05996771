// What verify and sweep say about snapshots: whether each has all that it needs, which of them damage affects, and what
// is left of their streams. One thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/repository/pack_catalog.h"
#include "engine/repository/snapshots.h"
#include "verify/check_context.h"
#include "verify/check_memory.h"
#include "verify/index_check.h"
#include "verify/index_claims.h"

namespace drs {

// Reports the manifests that are damaged or missing.
void report_catalog(CheckContext& context, const SnapshotCatalog& catalog);

using WorkerStores = std::vector<std::unique_ptr<ObjectStore>>;  // one for each worker

// Reports an index folder that cannot be listed. Errors: the store's.
Result<std::vector<ObjectInfo>> list_index_objects(CheckContext& context);

// Checks index objects on all workers. If one is missing, as when a repair replaces it, lists again and checks the new
// ones.
Result<void> check_index(CheckContext& context, IndexCheck& check, std::vector<ObjectInfo> objects,
                         const WorkerStores& stores, const CheckBuffers& buffers);

// For a pack that a second list names although the store did not find it: it exists, but cannot be read.
void report_absent(CheckContext& context, const Digest& pack);

// Results that decide which snapshots are intact.
struct RecipesChecked {
  bool lists_changed = false;
  std::unordered_set<std::string> rebuilt_ids;
};

// Checks that every block that a snapshot needs has a claim whose pack exists, has the right size and contains the
// block's range, and finds out which snapshots the damage affects that the run has found. Before that, rebuilds those
// of CheckContext::options. `packs`: with the marks of this run: a block is then located in an unmarked pack if it has
// a copy there. Errors: those that do not concern stored objects; kCancelled.
Result<RecipesChecked> check_recipes(CheckContext& context, const SnapshotCatalog& catalog, PackCatalog packs,
                                     const CheckMemory& memory, IndexClaims& claims, VerifyReport& report);

// Which blocks of the snapshots a run has read and decoded.
enum class BlocksRead : std::uint8_t { kSome, kEvery };
using DamagedSnapshots = std::unordered_map<std::string, DamagedSnapshot>;  // by snapshot id

// `catalog.live` is in the order of the report.
void report_damaged_snapshots(const SnapshotCatalog& catalog, const DamagedSnapshots& damaged, VerifyReport& report);

// Reports what is left of the streams that have a damaged snapshot or manifest.
void report_hit_streams(const SnapshotCatalog& catalog, const DamagedSnapshots& damaged, BlocksRead read,
                        const std::unordered_set<std::string>& rebuilt_ids, VerifyReport& report);

}  // namespace drs
