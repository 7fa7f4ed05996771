// The reading side of a restore, on one thread: plans, reads sealed blocks ahead, and takes care of those that cannot
// be read or decoded.
//
// Blocks that are wanted one after the other and lie close together in one pack come with one read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/pipeline/block_rescue.h"
#include "engine/pipeline/restore_board.h"
#include "engine/pipeline/restore_planner.h"
#include "io/progress.h"
#include "sinks/object_store.h"

namespace drs {

struct RestoreRange {
  std::uint64_t begin_bytes = 0;
  std::uint64_t end_bytes = 0;
};

class RestoreFetcher {
 public:
  struct Options {
    RestoreRange range;
    RestorePlannerOptions planner;
  };
  // Reads through `store` into `sealed`, cut into buffers of kSealedBufferBytes. Everything must outlive the fetcher.
  RestoreFetcher(const std::vector<RecipePartRef>& parts, const Options& options, ObjectStore& store,
                 BlockRescue& rescue, RestoreBoard& board, MutableByteView sealed, ProgressCounters& progress);
  RestoreFetcher(const RestoreFetcher&) = delete;
  RestoreFetcher& operator=(const RestoreFetcher&) = delete;

  // Until every block of the range is decoded, or the board stops. No read is in flight when it returns. Errors:
  // kCorrupt (damage beyond repair, naming block, pack and bytes of the stream), the store's.
  Result<void> run();
  [[nodiscard]] std::uint64_t read_bytes() const { return read_bytes_; }

 private:
  // One read: a range of one pack, and the jobs that wait for it.
  struct Read {
    SealedBuffer buffer;
    GetOperation get;
    Digest pack;
    std::uint64_t begin_bytes = 0;
    std::uint64_t end_bytes = 0;
    std::uint64_t wanted_bytes = 0;  // what the jobs take of it
    std::vector<RestoreJob*> jobs;   // not empty: being put together, or in flight
  };
  Result<void> run_until_done();
  Result<void> plan_ahead();
  Result<bool> take_step();
  bool start_job();
  Read* read_for(const BlockLocation& location);
  bool extend(Read& read, const BlockLocation& location) const;
  void submit();
  void settle_reads();
  Result<void> rescue_failed();

  const std::vector<RecipePartRef>& parts_;
  const RestoreRange range_;
  ObjectStore& store_;
  BlockRescue& rescue_;
  RestoreBoard& board_;
  ProgressCounters& progress_;
  RestorePlanner planner_;
  std::size_t next_part_ = 0;
  std::optional<PlanStep> step_;                   // planned, and not yet on the board
  std::optional<Result<BlockLocation>> location_;  // of the block that step_ fetches
  bool plan_ended_ = false;
  std::vector<std::unique_ptr<Read>> reads_;
  Read* open_ = nullptr;        // may still grow
  std::vector<Read*> arrived_;  // by the store's completions, which must not throw: has room for all reads
  std::uint64_t read_bytes_ = 0;
};

}  // namespace drs
