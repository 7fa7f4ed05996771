// Writes the pieces of a restored range to its sink: good bytes as they are, lost ones as holes.
//
// Threads: the one that follows the schedule. `stop` of the schedule ends a long hole early.
#pragma once

#include <optional>

#include "engine/pipeline/pull/hole_map.h"
#include "engine/pipeline/pull/restore_fetcher.h"
#include "engine/pipeline/pull/restore_schedule.h"
#include "io/base/progress.h"
#include "io/sink.h"

namespace drs {

class RangeEmitter {
 public:
  // `holes` may be null: then a lost piece is an error. All references must outlive the object.
  RangeEmitter(Sink& sink, HoleMap* holes, const RestoreSchedule& schedule, ProgressCounters& progress)
      : sink_(sink), holes_(holes), schedule_(schedule), progress_(progress) {}

  // Adds a lost piece to the map before any of its zeros are written. Errors: the sink's; those of HoleMap::add;
  // kCorrupt (a piece is lost, and there is no map; the text names block, pack and bytes of the stream); kCancelled
  // (the schedule has stopped).
  Result<void> emit(const RestoredPiece& piece);
  // Bytes written to the sink, zeros included.
  [[nodiscard]] std::uint64_t written_bytes() const { return written_bytes_; }
  // The lost bytes of the stream with which emit() ended.
  [[nodiscard]] const std::optional<RestoreRange>& lost() const { return lost_; }

 private:
  Result<void> write(ByteView bytes);
  Result<void> write_zeros(std::uint64_t bytes);

  Sink& sink_;
  HoleMap* const holes_;
  const RestoreSchedule& schedule_;
  ProgressCounters& progress_;
  std::uint64_t written_bytes_ = 0;
  std::optional<RestoreRange> lost_;
};

}  // namespace drs
