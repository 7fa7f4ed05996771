// The snapshots of a repository: every live manifest, and what is damaged or missing beside them. Only headers are
// held; the recipe parts of a manifest, up to 2.5 MiB, are read again where they are used.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/repository/repository.h"

namespace drs {

struct Snapshot {
  std::string name;  // of the manifest object
  Digest digest;     // its document_identity
  ManifestHeader manifest;
  [[nodiscard]] std::string id() const { return manifest.session.hex(); }
};

// Reads the manifest of `snapshot` anew from `store`, a view of the repository's objects. Errors: kCorrupt (also: it is
// not the one that was there), kTruncated, kNotFound, the store's, naming it.
Result<Manifest> read_manifest(const Repository& repository, ObjectStore& store, const Snapshot& snapshot);

// Warnings of a command that goes on name so many broken manifests and marks, and count the rest; verify names all.
inline constexpr std::size_t kBrokenManifestsNamedMax = 16;

// A name under manifests/ that could not be read as a manifest or a fence, or a removal mark that could not be read.
struct BrokenManifest {
  std::string name;
  Error error;
  Digest digest;           // SHA-256 of its bytes; zeros where they could not be read
  std::string stream;      // where its name tells
  bool accounted = false;  // a live manifest names its manifest as predecessor or as unreadable
  // The least sequence number of those live manifests, which came later; 0 for a mark of removal, which is no snapshot.
  std::optional<std::uint64_t> superseded_by;
};

// A manifest that a live one names, as its predecessor or as one that its push could not read, and that is neither
// there nor marked as removed. A thief who may write could spoil a manifest, wait for a push, and then delete it.
struct MissingManifest {
  std::string stream;
  std::string name;  // of the missing manifest
  std::string named_by;
  std::uint64_t before_sequence = 0;  // of the first manifest that names it: what is missing came earlier
  bool was_unreadable = false;        // as `named_by` says
  // "stream s: manifests/... names manifests/... as its predecessor, which is gone ..."
  [[nodiscard]] std::string problem() const;
};

// What a new snapshot says of those before it.
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
  std::vector<RemovedMark> removed;
  std::vector<std::string> fences;  // names of manifests that can never be: no snapshots, and no damage

  // The newest live snapshot of a stream, or nullptr.
  [[nodiscard]] const Snapshot* latest(std::string_view stream) const;
  // For the next snapshot of a stream. Its sequence is above that of each live and each removed snapshot. A manifest
  // that cannot be read had a number too: one is left out for each that no live manifest accounts for, so that among
  // pushes that run one after the other none is given twice. `unreadable` holds those first, as many as fit: several
  // pushes account for all.
  [[nodiscard]] NextSnapshot next(std::string_view stream) const;
};

// Reads all manifests and removal marks, or those of one stream; damaged ones go to `broken` and do not stop it. So do
// those that are listed, and listed again, but not there: a manifest that is only gone has a mark, or is missed.
// Errors: the store's.
Result<SnapshotCatalog> load_snapshots(Repository& repository, const std::optional<std::string>& stream = std::nullopt);

}  // namespace drs
