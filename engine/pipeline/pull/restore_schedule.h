// The state shared by the threads of a restore: the planned runs of the stream, the blocks in flight, and the decoded
// block in each slot. One lock, never held during I/O or decoding.
//
// The fetcher adds runs and jobs in the plan's order. Workers take the earliest job that has its sealed bytes and whose
// slot may be overwritten. Followers (the emitter and the digester) walk the runs in order, each at its own pace; a
// slot may be overwritten once both have passed the runs that use it. Deadlock is impossible: the earliest unfinished
// job waits only for runs whose jobs are all finished.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/pipeline/pull/hole_map.h"
#include "engine/pipeline/pull/restore_planner.h"
#include "engine/repository/block_index.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// A buffer with sealed blocks of one pack. `users` counts the jobs that still need it; only the schedule changes it.
struct SealedBuffer {
  MutableByteView bytes;
  std::size_t users = 0;
};

// One block to be decoded into one slot.
struct RestoreJob {
  enum class State : std::uint8_t { kReading, kFilled, kFailed, kTaken, kDone };
  PlannedFetch fetch;
  std::optional<BlockLocation> location;  // empty if the block could not be located
  std::uint64_t stream_offset_bytes = 0;  // of the run that needs it first
  std::uint64_t stream_bytes = 0;
  SealedBuffer* buffer = nullptr;  // set while it is used
  ByteView sealed;                 // kFilled: in `buffer`
  std::optional<Error> error;      // kFailed
  State state = State::kReading;
};

// Bytes of a block.
struct BlockSpan {
  std::uint32_t offset_bytes = 0;
  std::uint32_t bytes = 0;
  friend bool operator==(const BlockSpan&, const BlockSpan&) = default;
};

// What a slot holds once its job has ended. Bytes of `lost` are zero.
struct RestoredBlock {
  std::size_t plain_bytes = 0;
  std::vector<BlockSpan> lost = {};  // in order, apart from each other
  Loss loss = {};                    // of all of `lost`
  std::string problem = {};          // why they are lost, for a restore that ends there
};

// Some bytes of a run: good ones, or lost ones.
struct RestoredPiece {
  std::uint64_t stream_offset_bytes = 0;
  ByteView bytes;                // empty if they are lost
  std::uint64_t lost_bytes = 0;  // 0 if they are good
  std::optional<Loss> loss;      // set if they are lost
  std::string problem = {};      // of their block
};

struct RestoreTotals {
  std::uint64_t decoded_bytes = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t healed_blocks = 0;
};

class RestoreSchedule {
 public:
  enum class Follower : std::uint8_t { kEmitter, kDigester };
  enum class Followers : std::uint8_t { kEmitter, kEmitterAndDigester };
  using Consumer = std::function<Result<void>(const RestoredPiece&)>;

  // `slots` has room for slot_count blocks of kBlockBytesMax and outlives the schedule. `followers` determine when a
  // slot may be overwritten.
  RestoreSchedule(MutableByteView slots, std::size_t slot_count, Followers followers);

  // The memory of a slot.
  [[nodiscard]] MutableByteView slot(std::uint32_t number) const;
  // Makes all waiting calls return, and later ones too. Thread-safe.
  void stop();
  [[nodiscard]] bool stopped() const;

  // For the fetcher's thread. ---------------------------------------------------------------------------------------
  // Returns false while the plan is at its limits: use wait_for_event.
  [[nodiscard]] bool has_room() const;
  // The reference stays valid until the job is done. `buffer` (may be null) gets one more user.
  RestoreJob& add_job(RestoreJob job);
  void add_run(const PlannedRun& run);
  // Adds a run without a fetch, whose bytes are lost.
  void add_gap(const PlannedRun& run, const Loss& loss);
  // States that no more runs and jobs follow.
  void end_plan();
  void set_filled(RestoreJob& job, ByteView sealed);
  // try_take_failed returns the job for recovery once its slot may be overwritten.
  void set_failed(RestoreJob& job, Error error);
  RestoreJob* try_take_failed();
  [[nodiscard]] bool is_unused(const SealedBuffer& buffer) const;
  [[nodiscard]] bool all_done() const;  // the plan has ended, and all jobs are done
  // A counter that grows whenever a slot, a buffer or room in the plan became free, or a job failed.
  [[nodiscard]] std::uint64_t events() const;
  void wait_for_event(std::uint64_t seen) const;  // until events() != seen, or stop

  // For workers and the fetcher. ------------------------------------------------------------------------------------
  // Waits for a filled job. Returns nullptr if no more will come.
  RestoreJob* take_filled();
  // Ends the job: its slot now holds the block. Adds `cost` to the totals. `job` is invalid afterwards.
  void finish(RestoreJob& job, RestoredBlock block, const RestoreTotals& cost);

  // For the emitter and the digester. -------------------------------------------------------------------------------
  // Passes every run to `consume`, in order, until the last one or until stop. A run of a block with lost bytes comes
  // in several pieces. Errors: those of `consume`; kCorrupt (a run reaches beyond the end of its block).
  Result<void> follow(Follower follower, const Consumer& consume);

  [[nodiscard]] RestoreTotals totals() const;

 private:
  static constexpr std::size_t kRunsAheadMax = 4096;
  static constexpr std::size_t kJobsAheadMax = 256;
  static constexpr std::size_t kRunsPerBatch = 32;
  struct SlotState {
    std::uint64_t fetch = 0;  // number of the fetch that filled the slot; 0: none
    RestoredBlock block;
  };
  [[nodiscard]] std::uint64_t released() const { return std::min(passed_[0], passed_[1]); }
  [[nodiscard]] const PlannedRun& run(std::uint64_t number) const { return runs_[number % kRunsAheadMax]; }
  [[nodiscard]] bool is_ready(std::uint64_t number) const;
  Result<void> add_pieces(std::uint64_t number, std::vector<RestoredPiece>& pieces) const;
  void add_lost_and_good(const PlannedRun& run, std::vector<RestoredPiece>& pieces) const;
  RestoreJob* earliest(RestoreJob::State state);
  void drop_buffer(RestoreJob& job);
  void report_fetcher();

  const MutableByteView slots_;
  mutable std::mutex mutex_;
  mutable std::condition_variable fetcher_;  // events_ or stopped_ changed
  std::condition_variable workers_;          // a job was filled, a slot became free, or the last job is done
  std::condition_variable followers_;        // a run or a block was added
  bool stopped_ = false;
  bool plan_ended_ = false;
  std::uint64_t events_ = 0;
  std::vector<PlannedRun> runs_;        // a ring
  std::uint64_t planned_ = 0;           // runs added
  std::map<std::uint64_t, Loss> gaps_;  // by number of the run; of runs that are not released
  std::array<std::uint64_t, 2> passed_{};
  std::deque<RestoreJob> jobs_;  // in the plan's order
  std::vector<SlotState> slot_states_;
  RestoreTotals totals_;
};

}  // namespace drs
