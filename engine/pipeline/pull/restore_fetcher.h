// The reading thread of a restore: plans, reads sealed blocks ahead, and recovers those that cannot be read or decoded.
//
// One read fetches consecutive blocks of the plan that lie close together in a pack.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/pipeline/pull/block_recovery.h"
#include "engine/pipeline/pull/restore_planner.h"
#include "engine/pipeline/pull/restore_schedule.h"
#include "io/base/progress.h"
#include "sinks/object_store.h"

namespace drs {

struct RestoreRange {
  std::uint64_t begin_bytes = 0;
  std::uint64_t end_bytes = 0;
};

// `error` took these bytes of the stream: with a text that names them.
Error lost_error(Error error, const RestoreRange& lost);

class RestoreFetcher {
 public:
  // kEndTheRun: a lost recipe part at once, lost data with the first run that needs it.
  enum class Losses : std::uint8_t { kEndTheRun, kLeaveHoles };
  struct Options {
    RestoreRange range;
    Losses losses = Losses::kEndTheRun;  // what damage beyond repair does
    RestorePlannerOptions planner;
    MutableByteView sealed;  // divided into buffers of kSealedBufferBytes, which the store fills
  };
  // All arguments except `options` must outlive the fetcher; so must the memory of `options.sealed`.
  RestoreFetcher(const std::vector<RecipePartRef>& parts, const Options& options, ObjectStore& store,
                 BlockRecovery& recovery, RestoreSchedule& schedule, ProgressCounters& progress);
  RestoreFetcher(const RestoreFetcher&) = delete;
  RestoreFetcher& operator=(const RestoreFetcher&) = delete;

  // Runs until every block of the range is decoded, or the schedule stops. No read is in flight when it returns. Bytes
  // of data blocks that cannot be recovered are left to whoever follows the schedule. Errors: kCorrupt (a recipe part
  // is damaged beyond repair, and that leaves no holes; the text names block, pack and bytes of the stream), the
  // store's.
  Result<void> run();
  [[nodiscard]] std::uint64_t read_bytes() const { return read_bytes_; }
  // The bytes of the stream that the damage took with which run() ended.
  [[nodiscard]] const std::optional<RestoreRange>& lost() const { return lost_; }

 private:
  // One read: a range of one pack, and the jobs that wait for it.
  struct Read {
    SealedBuffer buffer;
    GetOperation get;
    Digest pack;
    std::uint64_t begin_bytes = 0;
    std::uint64_t end_bytes = 0;
    std::uint64_t wanted_bytes = 0;  // sealed bytes of the jobs' blocks
    std::vector<RestoreJob*> jobs;   // not empty: the read is open_ or in flight
  };
  Result<void> run_until_done();
  Result<void> plan_ahead();
  Result<bool> take_step();
  Result<void> add_part(const RecipePartRef& ref);
  bool start_job();
  Read* read_for(const BlockLocation& location);
  bool extend(Read& read, const BlockLocation& location) const;
  void submit();
  void settle_reads();
  Result<void> recovery_failed();
  // Adds the bytes of the stream that cannot be restored.
  Error lose(Error error, std::uint64_t offset_bytes, std::uint64_t bytes);

  const std::vector<RecipePartRef>& parts_;
  const RestoreRange range_;
  const Losses losses_;
  ObjectStore& store_;
  BlockRecovery& recovery_;
  RestoreSchedule& schedule_;
  ProgressCounters& progress_;
  RestorePlanner planner_;
  std::size_t next_part_ = 0;
  std::deque<Loss> gaps_;                          // of lost parts that the planner has, in order
  std::optional<PlanStep> step_;                   // planned, but not on the schedule yet
  std::optional<Result<BlockLocation>> location_;  // of the block that step_ fetches
  bool plan_ended_ = false;
  std::vector<std::unique_ptr<Read>> reads_;
  Read* open_ = nullptr;        // not submitted: may still grow
  std::vector<Read*> arrived_;  // appended by completions, which must not throw: has capacity for all reads
  std::uint64_t read_bytes_ = 0;
  std::optional<RestoreRange> lost_;
};

}  // namespace drs
