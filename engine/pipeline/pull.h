// Pull: a snapshot, or a range of it, back out of the repository, in order, checked.
//
// The recipe tells beforehand which blocks come when: a planner fetches sealed blocks ahead, workers open, decompress
// and check them (XXH3), decoded blocks that come again are kept as long as the budget allows (furthest next use goes
// first), and the caller's thread emits in order while the whole-stream SHA-256 and XXH3 run beside it. A block whose
// pack is lost or damaged is rebuilt from other copies of its chunks where the index knows any.
#pragma once

#include <optional>
#include <string>

#include "engine/pipeline/memory_plan.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/buffer_pool.h"
#include "io/cancel.h"
#include "io/progress.h"
#include "io/sink.h"

namespace drs {

struct PullOptions {
  std::uint64_t offset_bytes = 0;
  std::optional<std::uint64_t> length_bytes;  // to the end, if not given
};

struct PullReport {
  std::uint64_t bytes = 0;
  std::uint64_t decoded_bytes = 0;  // plaintext of all blocks decoded; divided by bytes: the decode amplification
  std::uint64_t read_bytes = 0;     // sealed
  std::uint64_t healed_blocks = 0;  // rebuilt from other copies
  bool whole = false;               // the digests and length of the whole stream were compared
  double seconds = 0;
};

// Calls sink.commit() when everything agreed and sink.abandon() otherwise. Errors: kCorrupt, kTruncated, kNotFound
// (damage; the text names pack, block and byte range), kFormatTooNew (the snapshot is no stream of bytes), kUsage (a
// range outside the stream), the sink's, the store's, kCancelled.
Result<PullReport> pull(Repository& repository, const Snapshot& snapshot, Sink& sink, const PullOptions& options,
                        const PullMemory& memory, BufferArena& arena, ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
