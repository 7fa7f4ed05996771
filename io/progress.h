// What long work has done so far. The work adds to the counters; a reporter on another thread reads them when it likes.
#pragma once

#include <atomic>
#include <cstdint>

namespace drs {

struct ProgressCounters {
  std::atomic<std::uint64_t> bytes{0};          // of the stream, or of stored data for verify and scrub
  std::atomic<std::uint64_t> total_bytes{0};    // 0: not known
  std::atomic<std::uint64_t> guessed_bytes{0};  // push: the size of the stream's last snapshot
  std::atomic<bool> waits_for_producer{false};  // push: for bytes, or for its end
  std::atomic<std::uint64_t> new_bytes{0};      // push: not known before
  std::atomic<std::uint64_t> stored_bytes{0};   // push: sealed blocks written; pull: sealed blocks read
  std::atomic<std::uint64_t> problems{0};       // verify and scrub
  // Push through a spool (sinks/spool_store.h), and resume.
  std::atomic<std::uint64_t> spooled_objects{0};
  std::atomic<std::uint64_t> uploaded_objects{0};  // of these
  std::atomic<bool> spool_is_complete{false};      // the source is done, and everything of it lies in spool or store
};

}  // namespace drs
