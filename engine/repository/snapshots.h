// The snapshots of a repository: every live manifest, and how a user's selector finds one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/repository/repository.h"

namespace drs {

struct Snapshot {
  std::string name;  // of the manifest object
  Digest digest;     // of its bytes
  Manifest manifest;
  [[nodiscard]] std::string id() const { return manifest.session.hex(); }
};

// A name under manifests/ that could not be read as a manifest.
struct BrokenManifest {
  std::string name;
  Error error;
  std::string stream;       // where its name tells, from the streams that have live snapshots
  bool superseded = false;  // a live manifest names it as predecessor, so it is not the newest
};

// A predecessor that a live manifest names, which is neither there nor marked as removed.
struct MissingPredecessor {
  std::string stream;
  std::string name;  // of the missing manifest
  std::string named_by;
};

// Oldest first within a stream, streams by name; the order within a stream is (sequence, snapshot time, session).
struct SnapshotCatalog {
  std::vector<Snapshot> live;
  std::vector<BrokenManifest> broken;
  std::vector<MissingPredecessor> missing;
  std::vector<RemovedMark> removed;

  // The newest live snapshot of a stream, or nullptr.
  [[nodiscard]] const Snapshot* latest(std::string_view stream) const;
};

// Reads all manifests and removal marks, or those of one stream; damaged ones go to `broken` and do not stop it.
// Errors: the store's.
Result<SnapshotCatalog> load_snapshots(Repository& repository, const std::optional<std::string>& stream = std::nullopt);

// "pg/app", "pg/app@latest", "pg/app@<time>", an id, or a unique prefix of one (at least 4 digits).
struct Selector {
  std::string text;                    // as typed
  std::string stream;                  // empty: an id
  std::optional<WallNs> at_or_before;  // "@time"
};
// Errors: kUsage naming near matches (an unknown stream, no snapshot that old, an unknown or ambiguous id); kCorrupt
// when the manifest that the selector means is damaged.
Result<const Snapshot*> select_snapshot(const SnapshotCatalog& catalog, const Selector& selector);

}  // namespace drs
