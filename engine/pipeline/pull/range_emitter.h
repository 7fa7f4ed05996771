// Writes the pieces of a restored range to its sink: good bytes as they are, lost ones as holes.
//
// Threads: the one that follows the schedule. `stop` of the schedule ends a long hole early.
#pragma once

#include "engine/pipeline/pull/hole_map.h"
#include "engine/pipeline/pull/restore_schedule.h"
#include "io/base/progress.h"
#include "io/sink.h"

namespace drs {

class RangeEmitter {
 public:
  // `holes` may be null: then no piece may be lost. All references must outlive the object.
  RangeEmitter(Sink& sink, HoleMap* holes, const RestoreSchedule& schedule, ProgressCounters& progress)
      : sink_(sink), holes_(holes), schedule_(schedule), progress_(progress) {}

  // Adds a lost piece to the map before any of its zeros are written. Errors: the sink's; those of HoleMap::add;
  // kCancelled (the schedule has stopped).
  Result<void> emit(const RestoredPiece& piece);
  // Bytes written to the sink, zeros included.
  [[nodiscard]] std::uint64_t written_bytes() const { return written_bytes_; }

 private:
  Result<void> write(ByteView bytes);
  Result<void> write_zeros(std::uint64_t bytes);

  Sink& sink_;
  HoleMap* const holes_;
  const RestoreSchedule& schedule_;
  ProgressCounters& progress_;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace drs
