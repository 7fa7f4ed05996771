// Scrub: proof without any key. Every object's bytes against the digest in its name, or at its end. It cannot see what
// is absent.
#pragma once

#include "io/cancel.h"
#include "io/clock.h"
#include "io/progress.h"
#include "sinks/object_store.h"
#include "verify/verify.h"

namespace drs {

struct ScrubOptions {
  bool read_only = false;  // neither set nor take back damage marks
  std::size_t memory_bytes = 256 * kMiB;
  std::size_t threads = 0;  // 0: the machine's
};

struct ScrubReport {
  std::vector<Finding> findings;         // without affected snapshots: that takes the key
  std::uint64_t objects = 0, bytes = 0;  // that were read whole
  std::uint64_t unknown_names = 0;
  std::uint64_t marked = 0, unmarked = 0;  // damage marks set and taken back; those that verify left stay
  double seconds = 0;
};

// Errors: kNoRepository (no config object), the store's when it cannot be listed, kUnavailable when it stops answering,
// kCancelled.
Result<ScrubReport> scrub(ObjectStore& store, const Clock& clock, const ScrubOptions& options,
                          ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
