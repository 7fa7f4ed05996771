// Finds the snapshot that a user's selector names. If the intended one may be damaged or missing, it is an error, not
// the next older one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/repository/snapshots.h"
#include "io/base/result.h"

namespace drs {

// "pg/app", "pg/app@latest", "pg/app@<time>", an id, or a unique prefix of one (at least 8 digits).
struct Selector {
  std::string text;                    // as typed
  std::string stream;                  // empty: the selector is an id
  std::optional<WallNs> at_or_before;  // "@time"
};

struct DatedSnapshot {
  WallNs made_ns = 0;
  const Snapshot* snapshot = nullptr;
};
// Returns all live snapshots, sorted by time. A clock may have been wrong: of the times from clocks in one stream, by
// sequence numbers, the longest run that does not decrease is believed (of several the one with later times); any other
// snapshot counts with the time of the one before it.
std::vector<DatedSnapshot> oldest_first(const SnapshotCatalog& catalog);
// The same of one stream alone.
std::vector<DatedSnapshot> oldest_first(const SnapshotCatalog& catalog, std::string_view stream);
// Returns the time with which `snapshot`, one of the catalog, counts in oldest_first.
WallNs made_ns_of(const SnapshotCatalog& catalog, const Snapshot& snapshot);
// Returns the last of these in one stream; `snapshot` is nullptr for an unknown stream. With times from push --time it
// may differ from the stream's latest snapshot, which is the one pushed last.
DatedSnapshot last_by_time(const SnapshotCatalog& catalog, std::string_view stream);

// Returns the live snapshots of the same stream with the same sequence number, including `snapshot`, in the order of
// the catalog. There are several if pushes ran at the same time: each followed the same snapshot.
std::span<const Snapshot> siblings_of(const SnapshotCatalog& catalog, const Snapshot& snapshot);

// Whether both have the same stream, time and bytes: then one is a copy of the other, perhaps in a repository with
// other keys.
bool is_copy(const ManifestHeader& one, const ManifestHeader& other);

// A snapshot that was seen before, and is missing without an authentic removal mark.
struct LostSnapshot {
  std::string stream;
  std::string manifest_name;  // empty if unknown
  std::uint64_t sequence = 0;
  std::string problem;  // the evidence, for messages
};

// Whether the snapshot's time is from a clock, not from the operator (push --time).
bool has_time_of_a_clock(const ManifestHeader& manifest);

// Returns the snapshot with the highest sequence number; with a time in the selector, the last of oldest_first that is
// not later than that time. So a clock that was set back makes no snapshot older than those that were pushed before it.
//
// Errors: kCorrupt or the manifest's error (a damaged manifest may be the intended one); kRollback (a missing snapshot
// may be the intended one: a predecessor that a live manifest names, or one of `lost`); both do not apply to a full id
// of a readable snapshot. kNoSnapshot (an unknown stream or id, of which the text names near matches; no snapshot that
// old); kUsage (an ambiguous id).
Result<const Snapshot*> select_snapshot(const SnapshotCatalog& catalog, const Selector& selector,
                                        std::span<const LostSnapshot> lost = {});

// Returns the snapshot of the selector's stream that select_snapshot holds to be too new, although its own clock gave
// it a time at or before that of the selector: the latest by that clock. Either its clock was behind, or that of an
// earlier snapshot was ahead. nullptr if there is none, or no time in the selector.
const Snapshot* held_back(const SnapshotCatalog& catalog, const Selector& selector);

}  // namespace drs
