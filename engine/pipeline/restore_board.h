// What the threads of a restore share: the runs of the stream that are planned, the blocks that are on their way, and
// which decoded block lies in which slot. One lock; nobody holds it while he reads, decodes or writes.
//
// The fetcher adds runs and jobs in the plan's order. Workers take the earliest job that has its sealed bytes and whose
// slot may be overwritten. Followers (the emitter and the digester) walk the runs in order, each at its own pace; a
// slot may be overwritten once both have passed the runs that use it. Nothing can wait in a circle: the earliest
// unfinished job needs only runs whose jobs are all finished.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/pipeline/restore_planner.h"
#include "engine/repository/block_index.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// A buffer with sealed blocks of one pack. `users` counts jobs that still need it, and is the board's.
struct SealedBuffer {
  MutableByteView bytes;
  std::size_t users = 0;
};

// One block to be decoded into one slot.
struct RestoreJob {
  enum class State : std::uint8_t { kReading, kFilled, kFailed, kTaken, kDone };
  PlannedFetch fetch;
  std::optional<BlockLocation> location;  // empty when it could not be found
  std::uint64_t stream_offset_bytes = 0;  // of the run that needs it first
  std::uint64_t stream_bytes = 0;
  SealedBuffer* buffer = nullptr;  // set while it is used
  ByteView sealed;                 // kFilled: in `buffer`
  std::optional<Error> error;      // kFailed
  State state = State::kReading;
};

struct RestoreTotals {
  std::uint64_t decoded_bytes = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t healed_blocks = 0;
};

class RestoreBoard {
 public:
  enum class Follower : std::uint8_t { kEmitter, kDigester };
  using Consumer = std::function<Result<void>(ByteView)>;

  // `slots` holds slot_count blocks of kBlockBytesMax and outlives the board. Without a digester only the emitter
  // counts.
  RestoreBoard(MutableByteView slots, std::size_t slot_count, bool with_digester);

  // The memory of a slot.
  [[nodiscard]] MutableByteView slot(std::uint32_t number) const;
  // Everybody returns as soon as he can. Any thread.
  void stop();
  [[nodiscard]] bool stopped() const;

  // The fetcher's thread. -------------------------------------------------------------------------------------------
  // False: as much is planned as may be; wait_for_event.
  [[nodiscard]] bool has_room() const;
  // The job stays where it is until it is done. `buffer` (may be null) gets one user more.
  RestoreJob& add_job(RestoreJob job);
  void add_run(const PlannedRun& run);
  // No more runs and jobs follow.
  void end_plan();
  void set_filled(RestoreJob& job, ByteView sealed);
  // For rescue: by try_take_failed, once its slot may be overwritten.
  void set_failed(RestoreJob& job, Error error);
  RestoreJob* try_take_failed();
  [[nodiscard]] bool is_unused(const SealedBuffer& buffer) const;
  [[nodiscard]] bool all_done() const;  // the plan has ended and so have all jobs
  // Grows whenever a slot, a buffer or room became free or a job failed.
  [[nodiscard]] std::uint64_t events() const;
  void wait_for_event(std::uint64_t seen) const;  // until events() != seen, or stop

  // Workers and the fetcher. ----------------------------------------------------------------------------------------
  // Waits for a filled job. nullptr: there will be none.
  RestoreJob* take_filled();
  // The job's slot holds `plain_bytes` of its block now. `cost` is added to the totals. The job is gone afterwards.
  void finish(RestoreJob& job, std::size_t plain_bytes, const RestoreTotals& cost);

  // The emitter and the digester. -----------------------------------------------------------------------------------
  // Gives every run to `consume`, in order, until the last or until stop. Errors: those of `consume`; kCorrupt when a
  // run reaches beyond the end of its block.
  Result<void> follow(Follower follower, const Consumer& consume);

  [[nodiscard]] RestoreTotals totals() const;

 private:
  static constexpr std::size_t kRunsAheadMax = 4096;
  static constexpr std::size_t kJobsAheadMax = 256;
  static constexpr std::size_t kRunsPerBatch = 32;
  struct SlotState {
    std::uint64_t fetch = 0;  // whose block it holds; 0: none
    std::size_t plain_bytes = 0;
  };
  [[nodiscard]] std::uint64_t released() const { return std::min(passed_[0], passed_[1]); }
  [[nodiscard]] const PlannedRun& run(std::uint64_t number) const { return runs_[number % kRunsAheadMax]; }
  [[nodiscard]] bool is_ready(std::uint64_t number) const;
  RestoreJob* earliest(RestoreJob::State state);
  void drop_buffer(RestoreJob& job);
  void tell_fetcher();

  const MutableByteView slots_;
  mutable std::mutex mutex_;
  mutable std::condition_variable fetcher_;  // events_ or stopped_ changed
  std::condition_variable workers_;          // a job was filled, a slot became free, or the last job ended
  std::condition_variable followers_;        // a run or a block was added
  bool stopped_ = false;
  bool plan_ended_ = false;
  std::uint64_t events_ = 0;
  std::vector<PlannedRun> runs_;  // a ring
  std::uint64_t planned_ = 0;     // runs added
  std::array<std::uint64_t, 2> passed_{};
  std::deque<RestoreJob> jobs_;  // in the plan's order
  std::vector<SlotState> slot_states_;
  RestoreTotals totals_;
};

}  // namespace drs
