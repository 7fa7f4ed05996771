// Push: one stream from a source into the repository, in one pass, as one snapshot or none.
//
//   source -> segments -> cut -> hash -> (in order) deduplicate, build blocks -> compress, seal, decode back -> packs
//   -> store
//                           \-> SHA-256 and XXH3 of the whole stream, in parallel
//
// Reading and cutting run on the caller's thread, the whole-stream digests on a second, the store on a third. Hashing
// and sealing run on `memory.workers` equal workers; the worker that finds the next segment in order hashed takes the
// ordered step.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "engine/format/manifest.h"
#include "engine/pipeline/memory_plan.h"
#include "engine/pipeline/push/push_gates.h"
#include "engine/pipeline/push/push_stats.h"
#include "engine/pipeline/push/recipe_builder.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "engine/repository/write_session.h"
#include "io/base/run_control.h"
#include "io/source.h"

namespace drs {

struct PushOptions {
  std::string stream;
  std::optional<WallNs> snapshot_ns;  // the stream's own time; by default the session's start
  CompressionChoice compression;
  bool read_back = true;  // decode each block before it is stored
  bool stream_sha256 = true;
  std::map<std::string, std::string> tags;
  PushGates gates;
  std::string host;
  std::string tool_version;
  RecipeLimits recipe;
  HeartbeatPace heartbeats;
  // The highest sequence number of the stream that this machine has ever seen, even if its snapshot is missing now. It
  // is not assigned again.
  std::uint64_t sequence_seen = 0;
  // Not nullptr: the push copies this snapshot. The stream must have its length and digests, and the new manifest keeps
  // its producer's proof.
  const ManifestHeader* original = nullptr;
};

// Checks what can be checked before the source runs. Errors: kUsage (a name, tags or a pattern that a manifest cannot
// hold; a pattern that is not a regular expression).
Result<void> validate(const PushOptions& options);

struct PushReport {
  std::string manifest_name;
  Digest manifest_digest;
  Manifest manifest;
  std::uint64_t packs = 0;
  std::uint64_t packs_bytes = 0;      // all bytes of these packs
  std::uint64_t rewritten_bytes = 0;  // known chunks stored again: from sparse blocks, or scattered too widely
  PushStats stats;
  std::chrono::duration<double> elapsed{};
  std::vector<std::string> anomalies;  // with tag_anomalies
  std::vector<std::string> warnings;
  SnapshotCatalog snapshots_before;  // of the stream, when the push began
};

// A push that was cancelled before the commit commits nothing. Errors: kSource (also an empty stream), kLimitMissed (a
// gate), kNoSpace, kDenied, kIo, kUnavailable (the store), kBusy (no thread or memory available), kUsage (more recipe
// parts than a manifest can name), kConflict (fenced), kUnsettled (the outcome of the commit is unknown), kCorrupt
// (what was just stored reads back wrong), kInternal (a block did not decode back), kCancelled.
Result<PushReport> push(Repository& repository, Source& source, const PushOptions& options, const PushBudget& budget,
                        const RunControl& control);

}  // namespace drs
