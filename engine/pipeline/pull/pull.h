// Pull: restores a snapshot, or a range of it, in order, and checks it.
//
// The recipe states in advance which block is needed when. A planner reads sealed blocks ahead; workers open,
// decompress and check them (XXH3). Decoded blocks that are needed again are kept as long as the budget allows; the one
// with the furthest next use is dropped first. The caller's thread emits in order, while another thread computes
// SHA-256 and XXH3 of the whole stream. A block whose pack is lost or damaged is rebuilt from other copies of its
// chunks, if the index has any. Bytes that cannot be restored end the pull, or become holes that a map names.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "engine/pipeline/memory_plan.h"
#include "engine/pipeline/pull/hole_map.h"
#include "engine/repository/listing.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/run_control.h"
#include "io/sink.h"

namespace drs {

struct PullReport {
  std::uint64_t bytes = 0;          // written to the sink, zeros of holes included
  std::uint64_t decoded_bytes = 0;  // plaintext of all decoded blocks; decode amplification is decoded_bytes / bytes
  std::uint64_t read_bytes = 0;     // bytes read from the store
  std::uint64_t healed_blocks = 0;  // rebuilt from other copies of their chunks
  std::uint64_t holes = 0;          // entries of the map
  std::uint64_t holes_bytes = 0;
  bool whole = false;  // the length and digests of the whole stream were compared: no range, and no holes
  std::chrono::duration<double> elapsed{};
};

struct PullOptions {
  std::uint64_t offset_bytes = 0;
  std::optional<std::uint64_t> length_bytes = {};  // by default to the end
  Listing listing = {};                            // the lists of packs, marks and index objects, if it has them
  // Borrowed, empty: bytes that cannot be restored become holes in it. Null: they end the pull.
  HoleMap* holes = nullptr;
  // Runs after all checks and before the sink commits. An error abandons the sink.
  std::function<Result<void>()> before_commit = {};
};

// Calls sink.commit() if all checks passed, sink.abandon() otherwise. Errors: kCorrupt, kTruncated, kNotFound (damage,
// with holes only of the manifest, or too many of them; the text names pack, block and byte range), kFormatTooNew (the
// snapshot is not a stream of bytes), kUsage (a range outside the stream), the sink's, the store's, kCancelled.
Result<PullReport> pull(Repository& repository, const Snapshot& snapshot, Sink& sink, PullOptions options,
                        const PullBudget& budget, const RunControl& control);

}  // namespace drs
