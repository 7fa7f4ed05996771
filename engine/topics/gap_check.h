// Reads gaps of a run again before they are believed. A client cannot see why offsets hold no record: markers and
// aborted transactions look like records that it has skipped by mistake. Threads: one thread at a time.
#pragma once

#include <cstddef>
#include <vector>

#include "io/base/run_control.h"
#include "io/record_source.h"

namespace drs {

inline constexpr std::size_t kGapsReadAgain = 4;  // of a partition: the largest that its configuration does not explain

// Reads `gaps`, sorted by partition, by a fresh client, at most `window` at a time. Nothing else is being read; the
// numbers of the ranges do not matter. Errors: kSource (one of them holds a record); those of RecordSource.
Result<void> read_gaps_again(RecordSource& source, std::vector<OffsetRange> gaps, std::size_t window,
                             const CancelToken& cancel);

}  // namespace drs
