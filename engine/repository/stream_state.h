// How each stream of a repository stands: its newest good snapshot, and the one before. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/repository/snapshot_selection.h"
#include "engine/repository/snapshots.h"

namespace drs {

// Whether a snapshot shows that its stream was complete and like those before it: its producer was seen, and no limit
// was missed.
bool is_proven(const Snapshot& snapshot);

struct StreamState {
  std::string stream;
  std::size_t snapshots = 0;   // live ones
  std::size_t unreadable = 0;  // manifests
  std::size_t missing = 0;     // manifests that a later one names
  // The newest good snapshot: that is proven; of a stream none of whose snapshots is (a plain pipe), that missed no
  // limit. Its time is not later than the store's. The snapshot is null if there is none.
  DatedSnapshot good;
  const Snapshot* before = nullptr;  // the good one before it
  const Snapshot* newest = nullptr;  // the last one that was pushed
};

// By name. Has the streams of which only unreadable or missing manifests are left, too.
std::vector<StreamState> stream_states(const SnapshotCatalog& catalog);

}  // namespace drs
