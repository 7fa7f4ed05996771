// Heals packs that are damaged or missing: each block that live snapshots need gets a good copy again, from a replica,
// from another repository with the same streams, or from other copies in the same repository. It may run beside pushes,
// copies, prunes and other repairs.
//
// - A missing pack that no record names is put again under its name, its bytes compared with it.
// - A damaged or condemned pack is never replaced or deleted: its live blocks go into new packs with index objects of
//   their own, and its name into a record under condemned/, so that no writer uses it again and a later prune deletes
//   it. The record is stored only after all its live blocks were read back from good packs.
// - A pack of which a live block stays lost is left as it is, and marked, so that the next push stores its chunks anew.
//
// It needs the rights of a pruner. It may be killed at any point: another run continues.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/pipeline/repair/block_healer.h"
#include "engine/pipeline/repair/snapshot_loss.h"
#include "engine/repository/repository.h"
#include "io/base/run_control.h"

namespace drs {

struct RepairPacksOptions {
  std::string host;
  std::size_t index_cache_bytes = 16 * kMiB;  // of each of up to four indexes
  bool dry_run = false;                       // reads and proves the same, and writes nothing
};

struct RepairedPack {
  enum class Fate : std::uint8_t {
    kPutAgain,         // it was missing
    kCondemned,        // by this run: every live block of it has a good copy elsewhere
    kCondemnedBefore,  // by an earlier run: the same
    kStays,            // live blocks of it are lost
  };
  Digest name;
  std::uint64_t bytes = 0;
  Fate fate = Fate::kStays;
  std::string problem;
  std::uint64_t live_blocks = 0;
  std::uint64_t lost_blocks = 0;  // with kStays
};

// A live snapshot with blocks that stay lost.
struct UnhealedSnapshot {
  std::string stream;
  std::string id;
  WallNs snapshot_ns = 0;
  bool is_topics = false;
  SnapshotLoss lost;  // without bytes: a pull restores it completely
};

struct RepairPacksReport {
  std::vector<RepairedPack> packs;          // by name
  std::vector<UnhealedSnapshot> snapshots;  // by stream, oldest first
  std::vector<std::string> unreadable;      // manifests: what they need is not known
  std::vector<std::string> warnings;
  HealedBlocks healed;
  std::uint64_t packs_intact = 0;  // marked, or found damaged by a sweep; read with all blocks, and intact
  std::uint64_t packs_gone = 0;    // marked, but neither stored nor named by an index object
  std::uint64_t packs_stored = 0, stored_bytes = 0;
  std::uint64_t marks_removed = 0;  // of packs that are intact, condemned or gone
  [[nodiscard]] std::uint64_t count(RepairedPack::Fate fate) const;
  [[nodiscard]] bool is_whole() const { return snapshots.empty() && unreadable.empty(); }
};

// `other` may be null. Errors: kConflict (a prune has fenced this run, which gave no sign of life for days), kUsage
// (more sessions than a record can wait for), kUnavailable (objects vanish each time they are listed), kCancelled,
// those of put_settled, the stores'.
Result<RepairPacksReport> repair_packs(Repository& repository, OtherRepository* other,
                                       const RepairPacksOptions& options, const RunControl& control);

}  // namespace drs
