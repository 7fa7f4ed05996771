// Rebuilds the index from the packs: reads the table of every pack that no intact index object covers, and writes index
// objects for these. After the new ones are durable, removes index objects that are damaged or name missing packs,
// except those that hold the only record of something: of the blocks of a pack whose table cannot be read, or (unless
// `all` is set) of the chunks of a block that no pack holds any more, so that it can still be healed.
//
// Safe during pushes and copies: index objects are listed before packs, so that one of a new pack does not look stale,
// and an object that a running session may have published is never removed. The repair has its own session object.
// Memory: at most 16 MiB of index objects to be written, and their blocks.
#pragma once

#include "engine/repository/repository.h"
#include "io/base/cancel.h"
#include "io/base/progress.h"

namespace drs {

struct RepairIndexOptions {
  bool all = false;  // read every pack, and replace all existing index objects
};
struct RepairIndexReport {
  std::uint64_t packs_read = 0;
  std::uint64_t packs_unreadable = 0;
  std::uint64_t index_objects_written = 0;
  std::uint64_t index_objects_removed = 0;
  std::vector<std::string> problems;
};
// After a cancel it removes nothing more; index objects written before are valid and stay. Errors: kCancelled,
// kUnavailable (index objects vanish in every list), the store's.
Result<RepairIndexReport> repair_index(Repository& repository, const RepairIndexOptions& options,
                                       ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
