// Rebuilds the index from packs alone: reads every pack's table and writes index objects for those that no good index
// object covers. Index objects that are damaged or name packs that are gone are removed, after the new ones are
// durable; except those that alone know something: which blocks are in a pack whose table cannot be read, or (unless
// `all` is asked for) of which chunks a block consisted that no pack holds any more, so that it can still be healed.
// Beside pushes and copies: index objects are listed before packs, so that one of a pack that was just stored does not
// look stale, and what a session that is under way may have published is never removed. It has a session object itself.
// Memory: at most 16 MiB of index objects to be written, and their blocks.
#pragma once

#include "engine/repository/repository.h"
#include "io/cancel.h"
#include "io/progress.h"

namespace drs {

struct RepairIndexOptions {
  bool all = false;  // ignore every existing index object, and remove them at the end
};
struct RepairIndexReport {
  std::uint64_t packs_read = 0;
  std::uint64_t packs_unreadable = 0;
  std::uint64_t index_objects_written = 0;
  std::uint64_t index_objects_removed = 0;
  std::vector<std::string> problems;
};
// Once cancelled it removes nothing more; what was written by then is right and stays. Errors: kCancelled, the store's.
Result<RepairIndexReport> repair_index(Repository& repository, const RepairIndexOptions& options,
                                       ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
