// Sweep: reads what was proven longest ago, within a budget, and records what it has proven under verified/, so that
// the next one goes on from there, on any machine. Shares no code with the pipeline that wrote the packs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/repository/evidence.h"
#include "io/base/cancel.h"
#include "io/base/progress.h"
#include "verify/sweep_plan.h"
#include "verify/verify.h"

namespace drs {

enum class SweepLevel : std::uint8_t {
  kDigest,   // compares the SHA-256 of each pack with its name
  kDecode,   // and opens, decompresses and hashes every block
  kRebuild,  // reads whole snapshots and compares them with the SHA-256 in their manifests
};

inline constexpr std::chrono::hours kStructureOverdue{48};

struct SweepOptions {
  SweepLevel level = SweepLevel::kDecode;
  // What was proven at this level within this time is not read.
  std::chrono::nanoseconds verified_within = std::chrono::days(30);
  // Of stored bytes; of plaintext with kRebuild. At least one pack or snapshot is read.
  std::optional<std::uint64_t> budget_bytes = {};
  std::optional<std::chrono::nanoseconds> budget_time = {};  // no reading begins after it
  SweepShard shard;
  bool read_only = false;  // neither records nor damage marks
  std::size_t memory_bytes = 256 * kMiB;
  std::size_t threads = 0;  // 0: as many as the machine has cores
  std::string host, tool;   // for the records; at most kVerifiedTextBytesMax
  std::chrono::nanoseconds record_every = std::chrono::minutes(10);
  // The first shard checks that snapshots have all that they need, unless a sweep has done so within this time and
  // found nothing missing, no snapshot is newer, and no index object names a pack that is missing. Other shards do it
  // after kStructureOverdue: the first may have died.
  // Without a time it is checked only where damage was found.
  std::optional<std::chrono::nanoseconds> structure_every = std::chrono::hours(20);
};

struct SweepReport {
  VerifyReport checked;                                 // findings, and what was read
  Coverage coverage;                                    // of the whole repository, after the run
  std::uint64_t due_packs = 0, due_bytes = 0;           // of the shard, at the begin
  std::uint64_t left_packs = 0, left_bytes = 0;         // of these, not read
  std::uint64_t due_snapshots = 0, left_snapshots = 0;  // with kRebuild
  std::uint64_t damaged_packs = 0;                      // found by this run
  std::uint64_t unsteady_packs = 0;                     // read wrongly, then rightly
  std::uint64_t records = 0;                            // stored under verified/
  bool budget_used = false;                             // something was left because of it
  bool structure_checked = false;                       // by this run
  WallNs structure_ns = 0;     // when all snapshots were last found to have what they need; 0: never
  std::optional<Error> ended;  // why the run ended early, or is not recorded: kCancelled, the store's
};

// Damage is in the report. A run that ends early while it reads records what it has proven until then, and reports what
// it has found; so does one that cannot store a record. Errors: those of verify, before anything was read.
Result<SweepReport> sweep(Repository& repository, const SnapshotCatalog& catalog, const SweepOptions& options,
                          ProgressCounters& progress, CancelToken& cancel);

// Where a sweep without a key keeps what it has read: no evidence, since anyone could write it.
class SweepCursor {
 public:
  virtual ~SweepCursor() = default;
  // Of earlier runs; empty if there is none. Errors: of reading it.
  virtual Result<std::vector<Verified>> load() = 0;
  virtual Result<void> save(const std::vector<Verified>& records) = 0;
};

// With SweepLevel::kDigest alone (else kUsage). Finds neither missing packs nor which snapshots are affected. Errors:
// kNoRepository; as scrub; those of the cursor.
Result<SweepReport> sweep_keyless(ObjectStore& store, const Clock& clock, const SweepOptions& options,
                                  SweepCursor& cursor, ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
