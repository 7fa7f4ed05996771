// The snapshots of a repository: every live manifest, and those that are damaged or missing. Holds only the headers;
// the recipe parts of a manifest, up to 2.5 MiB, are read again when they are needed.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/repository/removal.h"
#include "engine/repository/repository.h"

namespace drs {

struct Snapshot {
  std::string name;  // of the manifest object
  Digest digest;     // its document_identity
  ManifestHeader manifest;
  WallNs stored_ns = 0;  // the store's time of the manifest object; 0 if it is unknown
  [[nodiscard]] std::string id() const { return manifest.session.hex(); }
};

// Reads the manifest of `snapshot` again from `store`, an instance on the repository's objects. Errors, whose texts
// name the manifest: kCorrupt (damaged, or its content has changed), kTruncated, kNotFound, the store's.
Result<Manifest> read_manifest(const Repository& repository, ObjectStore& store, const Snapshot& snapshot);

// A command that continues names this many broken manifests and marks in its warnings, and counts the rest; verify
// names all.
inline constexpr std::size_t kBrokenManifestsNamedMax = 16;

// A name under manifests/ that could not be read as a manifest or a fence, or a removal mark or a retired object that
// could not be read. A retired object may name any manifest of its stream.
struct BrokenManifest {
  std::string name;
  Error error;
  Digest digest;           // SHA-256 of its bytes; zeros if they could not be read
  std::string stream;      // empty if its name does not show the stream
  bool accounted = false;  // a live manifest names its manifest as predecessor or as unreadable
  // The least sequence number of those live manifests, which came later; 0 for a removal mark and a retired object,
  // which are no snapshots.
  std::optional<std::uint64_t> superseded_by;
};

// A manifest that a live one names, as its predecessor or as one that its push could not read, and that neither exists
// nor is marked as removed. An attacker with write access could damage a manifest, wait for a push, and then delete it.
struct MissingManifest {
  std::string stream;
  std::string name;  // of the missing manifest
  std::string named_by;
  std::uint64_t before_sequence = 0;  // of the first manifest that names it: the missing one came earlier
  bool was_unreadable = false;        // `named_by` lists it as unreadable
  bool fenced = false;                // a fence has its name: in a replica, a copy of it was fenced
  // "stream s: manifests/... names manifests/... as its predecessor, which is gone ..."
  [[nodiscard]] std::string problem() const;
};

// What the manifest of a new snapshot states about earlier ones.
struct NextSnapshot {
  const Snapshot* predecessor = nullptr;  // the newest live one; nullptr for none
  std::uint64_t sequence = 1;
  std::vector<UnreadableManifest> unreadable;
};

// Oldest first within a stream, streams by name; the order within a stream is (sequence, snapshot time, session).
struct SnapshotCatalog {
  std::vector<Snapshot> live;
  std::vector<BrokenManifest> broken;
  std::vector<MissingManifest> missing;
  std::vector<Removal> removed;     // marks, and entries of retired objects that stand for marks; each manifest once
  std::vector<std::string> fences;  // names of manifests that can never be live: neither snapshots nor damage

  // Returns the newest live snapshot of a stream, or nullptr.
  [[nodiscard]] const Snapshot* latest(std::string_view stream) const;
  // The same among those without the tag kAnomalyTag whose sequence number is less than `before_sequence`.
  [[nodiscard]] const Snapshot* latest_without_anomaly(
      std::string_view stream, std::uint64_t before_sequence = std::numeric_limits<std::uint64_t>::max()) const;
  // For the next snapshot of a stream. Its sequence number is higher than that of every live and removed snapshot. An
  // unreadable manifest had a number, too: for each one that no live manifest accounts for, one number is skipped, so
  // that consecutive pushes never assign a number twice. `unreadable` holds those manifests first, as many as fit, so
  // that several pushes account for all of them. For a retired object that cannot be read as many numbers are skipped
  // as it may have entries.
  [[nodiscard]] NextSnapshot next(std::string_view stream) const;
};

// Reads all manifests, removal marks and retired objects, or those of one stream. Damaged ones go to `broken` and are
// not an error. So do those that two lists name but no read finds: a manifest that was removed has a mark, or counts as
// missing. Errors: kUnavailable (objects vanish each time they are listed), the store's.
Result<SnapshotCatalog> load_snapshots(Repository& repository, const std::optional<std::string>& stream = std::nullopt);
// The same, but `listing` provides the lists of manifests and marks, if it has them. Retired objects are listed after
// both: a list of them that is older than one of the marks may lack an entry whose mark is already deleted.
Result<SnapshotCatalog> load_snapshots(Repository& repository, const std::optional<std::string>& stream,
                                       Listing& listing);

}  // namespace drs
