// Verify: proof, with keys, that what is stored can be restored. Shares nothing with the pipeline that wrote it.
//
// Structure: every manifest reads and authenticates; no predecessor is missing; every recipe part reads; every block
// that a recipe names has a claim whose pack exists with the right size and holds the range. With `read_data` every
// stored block of every pack is read, opened, decompressed, its XXH3 and chunk ids recomputed, and every recipe
// resolved against the true chunk lengths. Named snapshots are also rebuilt by a reader of verify's own, and length,
// SHA-256 and XXH3 of the whole compared. It never stops at the first fault; each finding names the object, and the
// snapshots and byte ranges that it affects. Packs that are marked as damaged are read in any case: anyone can make a
// mark, so it says where to look and proves nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/cancel.h"
#include "io/progress.h"

namespace drs {

struct AffectedRange {
  std::string stream;
  std::string snapshot_id;
  std::uint64_t offset_bytes = 0;
  std::uint64_t bytes = 0;
};

struct Finding {
  enum class Severity : std::uint8_t { kDamage, kDeletion, kTooNew, kWarning };  // exit 4, 13, 14, (9 if asked)
  Severity severity = Severity::kDamage;
  std::string object;                   // name of the stored object
  std::string problem;                  // expected and got
  std::vector<AffectedRange> affected;  // at most 100 each; affected_count has all
  std::uint64_t affected_count = 0;
};

// A live snapshot that cannot be restored whole. Never cut: one for each.
struct DamagedSnapshot {
  std::string stream;
  std::string snapshot_id;
  WallNs snapshot_ns = 0;
  std::uint64_t sequence = 0;
  std::uint64_t ranges = 0;
  std::uint64_t bytes = 0;               // in these ranges
  std::uint64_t first_offset_bytes = 0;  // of the first range that was found
  bool too_new = false;                  // only for want of a newer drstream
};

// A snapshot that a stream has left.
struct LeftSnapshot {
  std::string id;  // empty: none
  WallNs snapshot_ns = 0;
  std::uint64_t sequence = 0;
};

// A stream with a damaged snapshot or manifest.
struct HitStream {
  std::string stream;
  LeftSnapshot intact;     // the newest of which this run has read and decoded every block
  LeftSnapshot unchecked;  // newer: the newest that needs nothing which this run found damaged; not all of it was read
  std::uint64_t readable = 0;  // snapshots whose manifests could be read
  bool too_new = false;        // a snapshot of it needs a newer drstream
};

struct VerifyOptions {
  bool read_data = false;
  bool read_only = false;                // record no damage marks
  std::vector<const Snapshot*> rebuild;  // snapshots named by the user; out of `catalog`
  std::size_t memory_bytes = 256 * kMiB;
  std::size_t threads = 0;  // 0: the machine's
};

struct VerifyReport {
  std::vector<Finding> findings;
  std::vector<DamagedSnapshot> damaged_snapshots;  // by stream, oldest first
  std::vector<HitStream> hit_streams;              // by name; only of `verify`
  std::uint64_t snapshots = 0;
  std::uint64_t recipe_parts = 0;
  std::uint64_t blocks_referenced = 0;  // by recipe parts; a block that two parts name counts twice
  std::uint64_t packs = 0, packs_bytes = 0;
  std::uint64_t packs_read = 0, bytes_read = 0;  // with read_data: against packs_bytes, the share that was read
  std::uint64_t blocks_decoded = 0, chunks_checked = 0, decoded_bytes = 0;
  std::uint64_t snapshots_rebuilt = 0, rebuilt_bytes = 0;
  std::uint64_t marked = 0, unmarked = 0;  // damage marks set and taken back
  double seconds = 0;
};

// Cannot see what nothing remembers: the newest manifest of a stream (compare heads), a further slot, a session or a
// record of condemned packs that was deleted. A missing index object is a warning, because packs have their tables.
// Errors: the store's when it cannot even be listed; kUnavailable when it stops answering; kCancelled. Damage is in the
// report.
Result<VerifyReport> verify(Repository& repository, const SnapshotCatalog& catalog, const VerifyOptions& options,
                            ProgressCounters& progress, CancelToken& cancel);

// The structure of the snapshots of `catalog` alone: every recipe part reads, and every block that a recipe names has a
// claim whose pack exists with the right size and holds the range. Records no damage marks. Errors: as verify.
Result<VerifyReport> verify_snapshots(Repository& repository, const SnapshotCatalog& catalog,
                                      const VerifyOptions& options, ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
