// Progress of a long operation. Its threads add to the counters; a reporter on another thread reads them at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace drs {

// Of one of several things that an operation works on at a time, such as a topic.
struct ProgressPart {
  explicit ProgressPart(std::string name_in) : name(std::move(name_in)) {}
  const std::string name;
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> total_bytes{0};
};

struct ProgressCounters {
  std::atomic<std::uint64_t> bytes{0};          // bytes of the stream; for verify and scrub, of stored data
  std::atomic<std::uint64_t> total_bytes{0};    // 0: unknown
  std::atomic<std::uint64_t> guessed_bytes{0};  // push: the size of the stream's last snapshot
  std::atomic<bool> waits_for_producer{false};  // push: waits for the producer's output or exit
  std::atomic<std::uint64_t> new_bytes{0};      // push: chunks that the repository did not have yet
  std::atomic<std::uint64_t> stored_bytes{0};   // push: sealed blocks written; pull: sealed blocks read
  std::atomic<std::uint64_t> problems{0};       // verify and scrub
  std::deque<ProgressPart> parts;               // of `bytes`; named before a reporter and threads begin
  // Push through a spool (sinks/spool/spool_store.h), and resume.
  std::atomic<std::uint64_t> spooled_objects{0};
  std::atomic<std::uint64_t> uploaded_objects{0};  // part of spooled_objects
  std::atomic<bool> spool_is_complete{false};      // the source has ended; all its data is in the spool or the store
};

// Bytes of part number `part`, if parts are named.
inline void count_progress(ProgressCounters& progress, std::size_t part, std::uint64_t bytes) {
  progress.bytes += bytes;
  if (!progress.parts.empty()) progress.parts[part].bytes += bytes;
}

}  // namespace drs
