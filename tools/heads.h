// Heads: what this machine has seen of each stream, kept outside the repository, so that somebody who removes or rolls
// back snapshots in the repository is noticed (exit code 13).
//
// A head is a snapshot that was seen and that no later one follows which was seen: mostly one for each stream, several
// where pushes overlap. What a later one follows is missed without a head (MissingManifest).
//
// One small file for each stream at each place of a repository, since a replica may lag behind:
// <state-dir>/heads/<repository id>/<SHA-256 of place and stream>.json. It holds the newest head, as earlier versions
// did, and the others beside it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/repository/snapshot_selection.h"
#include "io/result.h"

namespace drs {

struct Head {
  std::string stream;
  std::uint64_t sequence = 0;
  Digest manifest_digest;
  std::string manifest_name;  // empty where given by hand
  WallNs finished_ns = 0;
  std::string place;  // where it was seen; empty where given by hand
  Uuid slot;          // the key slot that opened the repository there; zeros where given by hand
  friend bool operator==(const Head&, const Head&) = default;
};

// Of a stream at a place. Where there are more the oldest, by its sequence number, is forgotten; of those that are lost
// only when there is no other.
inline constexpr std::size_t kHeadsMax = 64;

// Where a repository is opened, and as which one. A replica has the id of its original but key slots of its own.
struct HeadPlace {
  std::string address;  // tools/place_address.h
  Uuid slot;            // Repository::opened_with_slot
};

class HeadDirectory {
 public:
  // Nothing is read or created yet. Without a `state_dir` no head is kept, and none is found.
  HeadDirectory(std::string state_dir, const Uuid& repository, HeadPlace place);

  // Of the heads that are recorded, by the names of their manifests.
  struct Known {
    std::set<std::string> settled;  // need not be remembered any more: settled_by
    std::set<std::string> lost;     // check_head misses them
  };
  // As seen at this place, beside the heads of the stream that are recorded here, but for those that are settled.
  // Processes take turns. Whole and durable when it returns: temporary file, fsync, rename. Errors:
  // those of load; kDenied, kNoSpace, kIo, with the path; kBusy (another process keeps the directory locked).
  Result<void> store(const Head& head, const Known& known);
  // The heads that were recorded at this place, newest first, also under an earlier name of it (a directory that was
  // moved: gone from there, and here with the key slot that opened it there). Errors: kCorrupt (no heads), kDenied,
  // kIo.
  [[nodiscard]] Result<std::vector<Head>> load(std::string_view stream) const;
  struct Recorded {
    std::vector<Head> heads;        // by stream, newest first, of this place
    std::vector<Head> elsewhere;    // of other places with this repository id: replicas, as far as can be told
    std::vector<Error> unreadable;  // files that are no heads, or cannot be read: what they knew is not known
  };
  // All heads of this repository. Errors: kDenied, kIo (the directory).
  [[nodiscard]] Result<Recorded> load_all() const;
  [[nodiscard]] std::string path_of(std::string_view stream) const;  // of the heads of a stream at this place
  [[nodiscard]] std::string path_of(const Head& head) const;         // of one that was loaded
  // Those of `heads` that `catalog` contradicts, as check_head says, and where a head that was loaded is recorded.
  [[nodiscard]] std::vector<LostSnapshot> lost_snapshots(const std::vector<Head>& heads,
                                                         const SnapshotCatalog& catalog) const;

 private:
  [[nodiscard]] std::string path_of(std::string_view stream, std::string_view place) const;
  [[nodiscard]] bool is_here(const Head& head) const;
  [[nodiscard]] Result<void> write(const std::vector<Head>& heads) const;  // of one stream, at least one
  const std::string directory_;
  const HeadPlace place_;
};

// "pg/app=12:<64 hex digits>", as push prints it. Errors: kUsage.
Result<Head> parse_head(std::string_view text);
std::string format_head(const Head& head);

// Compares one head with what the repository shows. Empty: as it should be (there, or removed with an authentic mark).
// Otherwise what is wrong, for exit code 13. A manifest that is there but unreadable is damage, which verify reports.
std::optional<std::string> check_head(const Head& head, const SnapshotCatalog& catalog);

// Those of `heads` that need not be remembered beside the new head that `manifest` makes, as names of manifests: what
// it follows, itself or by way of what `catalog` shows, and what was removed with an authentic mark. Not one that
// check_head misses.
std::set<std::string> settled_by(const Manifest& manifest, const std::vector<Head>& heads,
                                 const SnapshotCatalog& catalog);

struct StateDir {
  std::string path;
  bool is_temporary = false;  // where others clean up
};

// $XDG_STATE_HOME/drstream, or ~/.local/state/drstream; /var/lib/drstream for root; without either variable
// private_directory("/var/tmp/drstream-<uid>"), which is temporary. Errors: those of private_directory.
Result<StateDir> default_state_dir();

// `path` in a directory where everybody may make names, as a directory that only we can write to; made if it is not
// there. Errors: kDenied (a link, no directory, or somebody else's: heads in it could be removed or replaced).
Result<std::string> private_directory(const std::string& path);

}  // namespace drs
