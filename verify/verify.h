// Verify: proves with the key that the stored snapshots can be restored. Shares no code with the pipeline that wrote
// them.
//
// Structure: every manifest can be read and is authentic; no predecessor is missing; every recipe part can be read;
// every block that a recipe names has a claim whose pack exists, has the right size and contains the block's range.
// With `read_data`, verify also reads, opens and decompresses every stored block of every pack, recomputes its XXH3 and
// chunk ids, and compares every recipe with the true chunk lengths. It rebuilds named snapshots with a reader of its
// own and compares their length, SHA-256 and XXH3. Of archives of topics it checks the catalogue and the indexes, and
// with `read_data` the records. It does not stop at the first fault. Each finding names the object and the snapshots
// and byte ranges that it affects. Packs that are marked as damaged are always read: anyone can write a mark, so a mark
// shows where to look, but proves nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/cancel.h"
#include "io/base/progress.h"

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
  std::vector<AffectedRange> affected;  // at most 100
  std::uint64_t affected_count = 0;     // all of them
};

// A live snapshot that cannot be restored completely. The report has an entry for every one.
struct DamagedSnapshot {
  std::string stream;
  std::string snapshot_id;
  WallNs snapshot_ns = 0;
  std::uint64_t sequence = 0;
  std::uint64_t ranges = 0;
  std::uint64_t bytes = 0;               // in these ranges
  std::uint64_t first_offset_bytes = 0;  // of the range that was found first
  bool too_new = false;                  // a newer drstream can restore it
};

// A snapshot that a stream still has.
struct LeftSnapshot {
  std::string id;  // empty: none
  WallNs snapshot_ns = 0;
  std::uint64_t sequence = 0;
};

// A stream with a damaged snapshot or manifest.
struct HitStream {
  std::string stream;
  LeftSnapshot intact;         // the newest of which this run has read and decoded every block
  LeftSnapshot unchecked;      // the newest one after it that needs nothing damaged; this run has not read all of it
  std::uint64_t readable = 0;  // snapshots whose manifests could be read
  bool too_new = false;        // a snapshot of it needs a newer drstream
};

struct VerifyOptions {
  bool read_data = false;
  bool read_only = false;                // neither write nor remove damage marks
  std::vector<const Snapshot*> rebuild;  // snapshots that the user named; from `catalog`
  std::size_t memory_bytes = 256 * kMiB;
  std::size_t threads = 0;  // 0: as many as the machine has cores
};

struct VerifyReport {
  std::vector<Finding> findings;
  std::vector<DamagedSnapshot> damaged_snapshots;  // by stream, oldest first
  std::vector<HitStream> hit_streams;              // by name; empty for verify_snapshots
  std::uint64_t snapshots = 0;
  std::uint64_t recipe_parts = 0;
  std::uint64_t blocks_referenced = 0;  // by recipe parts; a block that two parts name counts twice
  std::uint64_t packs = 0, packs_bytes = 0;
  std::uint64_t packs_read = 0, bytes_read = 0;  // with read_data: packs that were read to their end
  std::uint64_t blocks_decoded = 0, chunks_checked = 0, decoded_bytes = 0;
  std::uint64_t snapshots_rebuilt = 0, rebuilt_bytes = 0;
  std::uint64_t records_checked = 0;       // with read_data: records of topics that were compared with their digests
  std::uint64_t marked = 0, unmarked = 0;  // damage marks written and removed
  std::chrono::duration<double> elapsed{};
};

// Cannot notice the deletion of objects that no other object names: the newest manifest of a stream (compare heads), a
// further slot, a session, a record of condemned packs. A missing index object is a warning, because packs have their
// own tables. Damage is in the report. Errors: the store's if it cannot be listed; kUnavailable if it stops answering;
// kCancelled.
Result<VerifyReport> verify(Repository& repository, const SnapshotCatalog& catalog, const VerifyOptions& options,
                            ProgressCounters& progress, CancelToken& cancel);

// Checks only the structure of the snapshots of `catalog`: every recipe part can be read, and every block that a recipe
// names has a claim whose pack exists, has the right size and contains the block's range. Writes no damage marks.
// Errors: as verify.
Result<VerifyReport> verify_snapshots(Repository& repository, const SnapshotCatalog& catalog,
                                      const VerifyOptions& options, ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
