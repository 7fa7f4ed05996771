// Restores ranges of streams, in order, and checks them: the part of a pull between choosing a snapshot and committing
// the sink. Opens the index and carves the buffers once, for any number of ranges.
//
// Threads: one thread at a time. The caller of `run` emits; meanwhile a fetcher, the workers and a digester run on
// their own threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "codecs/compression.h"
#include "engine/format/manifest.h"
#include "engine/pipeline/failure.h"
#include "engine/pipeline/memory_plan.h"
#include "engine/pipeline/pull/block_recovery.h"
#include "engine/pipeline/pull/pull.h"
#include "engine/pipeline/pull/restore_fetcher.h"
#include "engine/pipeline/pull/restore_schedule.h"
#include "engine/repository/listing.h"
#include "engine/repository/repository.h"
#include "io/base/run_control.h"
#include "io/sink.h"

namespace drs {

class RangeRestore {
 public:
  // All references must outlive the result, which has exclusive use of `repository.store()`. `listing` provides the
  // lists of packs and index objects, if it has them. Errors: the store's; kBusy (no memory for a codec).
  static Result<std::unique_ptr<RangeRestore>> open(Repository& repository, const PullBudget& budget,
                                                    const RunControl& control, Listing listing);
  RangeRestore(const RangeRestore&) = delete;
  RangeRestore& operator=(const RangeRestore&) = delete;

  // Writes the bytes of `range` of `stream` to `sink`; neither commits nor abandons it. A write that waits ends at a
  // cancel only if the caller has registered `sink.cancel`. With `holes`, an empty map, damage leaves holes, and is an
  // error otherwise. Errors: as pull; after an error `run` must not be called again.
  Result<PullReport> run(const ManifestStream& stream, const RestoreRange& range, Sink& sink, HoleMap* holes = nullptr);
  // The bytes of the stream that were lost to the damage with which run() ended.
  [[nodiscard]] const std::optional<RestoreRange>& lost() const { return lost_; }

 private:
  struct Worker {
    MutableByteView scratch;
    Decompressor decompressor;
  };
  class StreamProof;
  RangeRestore(Repository& repository, const PullBudget& budget, const RunControl& control)
      : repository_(repository),
        memory_(budget.memory),
        control_(control),
        slots_(budget.arena.carve(budget.memory.block_buffers * kBlockBytesMax)) {}
  Result<void> open_index(BufferArena& arena, Listing listing);
  void decode(Worker& worker, RestoreSchedule& schedule) const;
  Result<PullReport> run_threads(const ManifestStream& stream, const RestoreRange& range, Sink& sink, HoleMap* holes,
                                 StreamProof* proof);

  Repository& repository_;
  const PullMemory& memory_;
  const RunControl control_;
  const MutableByteView slots_;
  MutableByteView sealed_;
  Failure failure_;
  std::optional<RestoreRange> lost_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<BlockRecovery> recovery_;
  std::vector<Worker> workers_;
};

}  // namespace drs
