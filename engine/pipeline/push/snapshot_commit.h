// Commits a snapshot to its stream: finds its predecessor, sequence number and time, and puts the manifest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/repository/listing.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "engine/repository/write_session.h"

namespace drs {

class SnapshotCommit {
 public:
  struct Stream {
    std::string name;
    ManifestContent content = ManifestContent::kBytes;
    std::uint64_t sequence_seen = 0;  // the highest sequence number of the stream that was ever seen
  };
  struct Beginning;
  // Finds the packs that may be used, and reads the snapshots of `stream`. If objects are to be locked, checks that the
  // bucket can. To be called after the session object was stored, and before the source is read: lists in the order
  // that docs/DESIGN.md "Write order" asks for. Adds warnings for records of condemned packs, marks and manifests that
  // cannot be read. Errors: kFormatTooNew (a manifest of the stream, or a record); kUsage (the stream holds other
  // content, or has used up its sequence numbers; the bucket cannot lock); the store's.
  static Result<Beginning> begin(Repository& repository, const Stream& stream, std::vector<std::string>& warnings);

  // Returns nullptr if the stream has no snapshot yet.
  [[nodiscard]] const Snapshot* predecessor() const { return next_.predecessor; }
  // The snapshots of the stream before this one.
  [[nodiscard]] SnapshotCatalog& snapshots() { return snapshots_; }

  // Fills in number, predecessor, times and config of `manifest`, secures the objects it relies on, and commits it.
  // `snapshot_ns`: the stream's own time, by default the session's start. Returns the manifest's name and
  // document_identity. Errors: those of ObjectStore::secure and WriteSession::commit.
  Result<std::pair<std::string, Digest>> commit(WriteSession& session, Manifest& manifest,
                                                std::optional<WallNs> snapshot_ns, std::vector<ObjectKey> relies_on,
                                                std::vector<std::string>& warnings);

 private:
  static Result<SnapshotCommit> prepare(Repository& repository, const Stream& stream, Listing& listing,
                                        std::vector<std::string>& warnings);
  SnapshotCommit(Repository& repository, SnapshotCatalog snapshots)
      : repository_(&repository), snapshots_(std::move(snapshots)) {}

  Repository* repository_;
  SnapshotCatalog snapshots_;
  NextSnapshot next_;
};

struct SnapshotCommit::Beginning {
  PackCatalog packs;
  SnapshotCommit snapshot;
  Listing index;  // the index objects, as old as `packs`
};

}  // namespace drs
