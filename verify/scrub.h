// Scrub: a check that needs no key. Compares the bytes of every object with the digest in its name or at its end. It
// cannot notice missing objects.
#pragma once

#include <chrono>

#include "io/base/cancel.h"
#include "io/base/clock.h"
#include "io/base/progress.h"
#include "sinks/object_store.h"
#include "verify/verify.h"

namespace drs {

struct ScrubOptions {
  bool read_only = false;  // neither write nor remove damage marks
  std::size_t memory_bytes = 256 * kMiB;
  std::size_t threads = 0;  // 0: as many as the machine has cores
};

struct ScrubReport {
  std::vector<Finding> findings;         // without affected snapshots, which only the key reveals
  std::uint64_t objects = 0, bytes = 0;  // objects that were read to their end
  std::uint64_t unknown_names = 0;
  std::uint64_t marked = 0, unmarked = 0;  // damage marks written and removed; those of verify stay
  std::chrono::duration<double> elapsed{};
};

// Errors: kNoRepository (no config object); the store's if it cannot be listed; kUnavailable if it stops answering;
// kCancelled.
Result<ScrubReport> scrub(ObjectStore& store, const Clock& clock, const ScrubOptions& options,
                          ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
