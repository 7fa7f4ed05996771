// How a user's selector finds a snapshot, and refuses to guess where the one that is meant may be damaged or gone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/repository/snapshots.h"
#include "io/result.h"

namespace drs {

// "pg/app", "pg/app@latest", "pg/app@<time>", an id, or a unique prefix of one (at least 8 digits).
struct Selector {
  std::string text;                    // as typed
  std::string stream;                  // empty: an id
  std::optional<WallNs> at_or_before;  // "@time"
};

struct DatedSnapshot {
  WallNs made_ns = 0;
  const Snapshot* snapshot = nullptr;
};
// All live snapshots. One whose time a clock gave is no older than those that its stream had before it: the clock may
// have been set back.
std::vector<DatedSnapshot> oldest_first(const SnapshotCatalog& catalog);
// The last of them of one stream. Where push --time gave a time it need not be the stream's latest, which is what was
// pushed last. nullptr for an unknown stream.
DatedSnapshot last_by_time(const SnapshotCatalog& catalog, std::string_view stream);

// The live snapshots of its stream that have its sequence number, itself among them, in the order of the catalog. There
// are several where pushes ran at the same time: each followed the same snapshot.
std::span<const Snapshot> siblings_of(const SnapshotCatalog& catalog, const Snapshot& snapshot);

// A snapshot that somebody has seen, and that is gone without an authentic mark of removal.
struct LostSnapshot {
  std::string stream;
  std::string manifest_name;  // empty where not known
  std::uint64_t sequence = 0;
  std::string problem;  // how that is known, for messages
};

// Whether a clock, not the operator (push --time), gave the snapshot its time.
bool has_time_of_a_clock(const ManifestHeader& manifest);

// The snapshot of the highest sequence number; with a time, of those whose time is not later. Sequence numbers decide
// between times that clocks gave, since a clock may have been set back; a time that the operator gave decides for
// itself.
//
// Errors: kCorrupt or what else is wrong with a manifest, where a damaged one may be what the selector means; kRollback
// where it may be one that is missing: a predecessor that a live manifest names, or one of `lost`. An id in full means
// no other. kNoSnapshot naming near matches (an unknown stream or id, no snapshot that old); kUsage (an ambiguous id).
Result<const Snapshot*> select_snapshot(const SnapshotCatalog& catalog, const Selector& selector,
                                        std::span<const LostSnapshot> lost = {});

}  // namespace drs
