// Push: one stream from a source into the repository, in one pass, as one snapshot or none.
//
//   source -> segments -> cut -> hash -> (in order) deduplicate, build blocks -> compress, decode back, seal -> packs
//   -> store
//                    \-> SHA-256 and XXH3 of the whole stream, beside it
//
// Reading and cutting run on the caller's thread, the whole-stream digests on a second, the store on a third; hashing
// and sealing on `memory.workers` equal workers, whichever of them finds the next segment in order hashed takes the
// ordered step.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "engine/format/manifest.h"
#include "engine/pipeline/memory_plan.h"
#include "engine/pipeline/push_stats.h"
#include "engine/pipeline/recipe_builder.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/buffer_pool.h"
#include "io/cancel.h"
#include "io/progress.h"
#include "io/source.h"

namespace drs {

// Checks on the finished stream, before anything is committed.
struct PushGates {
  bool allow_empty = false;
  std::optional<std::uint64_t> bytes_min;
  std::optional<double> shrink_max;  // 0.10: at most 10 % smaller than the stream's last snapshot
  std::optional<double> growth_max;
  std::string trailer_pattern;  // POSIX extended regular expression, searched in the last 64 KiB; empty: none
  bool tag_anomalies = false;   // commit with the tag "anomaly" instead of refusing
};

// Errors: kUsage, a trailer pattern that is no regular expression.
Result<void> validate(const PushGates& gates);

// A session says that it is under way when its last heartbeat is older than `every` by the steady clock, which is
// looked at each `look_every`.
struct HeartbeatPace {
  std::chrono::nanoseconds every = std::chrono::hours(1);
  std::chrono::milliseconds look_every{30'000};
};

struct PushOptions {
  std::string stream;
  std::optional<WallNs> snapshot_ns;  // the stream's own time; the start, if not given
  CompressionChoice compression;
  bool read_back = true;  // decode each block before it is stored
  bool stream_sha256 = true;
  std::map<std::string, std::string> tags;
  PushGates gates;
  std::string host;
  std::string tool_version;
  RecipeLimits recipe;
  HeartbeatPace heartbeats;
  // The highest sequence number of the stream that was ever seen, also where the repository does not show it any more:
  // it is not given again.
  std::uint64_t sequence_seen = 0;
  // A copy of this snapshot: the stream must have its length and digests, and what proved its producer is kept.
  const ManifestHeader* original = nullptr;
};

// What can be said before the source runs. Errors: kUsage (a name, tags or a pattern that a snapshot cannot record; a
// pattern that is no regular expression).
Result<void> validate(const PushOptions& options);

struct PushReport {
  std::string manifest_name;
  Digest manifest_digest;
  Manifest manifest;
  std::uint64_t packs = 0;
  std::uint64_t packs_bytes = 0;      // everything written to packs
  std::uint64_t rewritten_bytes = 0;  // chunks known before, stored again because their blocks had become sparse
  PushStats stats;
  double seconds = 0;
  std::vector<std::string> anomalies;  // with tag_anomalies
  std::vector<std::string> warnings;
  SnapshotCatalog snapshots_before;  // the stream's, as the push found them
};

// `arena` has memory.arena_bytes left to carve. A cancelled push commits nothing. Errors: kSource (empty, too),
// kLimitMissed (a gate), kNoSpace, kDenied, kIo, kUnavailable (the store), kBusy (no thread or no memory is to be had),
// kUsage (more recipe parts than a manifest names), kConflict (fenced), kCorrupt (what was just
// stored reads back wrong), kInternal (a block did not decode back), kCancelled.
Result<PushReport> push(Repository& repository, Source& source, const PushOptions& options, const PushMemory& memory,
                        BufferArena& arena, ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
