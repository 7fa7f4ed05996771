// Heads: the newest snapshots that this machine has seen of each stream, kept outside the repository, so that a removal
// or rollback of snapshots in the repository is noticed (exit code 13).
//
// A head is a snapshot that was seen and that no other seen snapshot follows: mostly one for each stream, several where
// pushes overlap. Snapshots that a later one follows need no head: their loss is found without it (MissingManifest).
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
#include "io/base/result.h"

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

// The most heads of a stream at a place. Beyond that the oldest, by its sequence number, is forgotten; a lost one only
// if there is no other.
inline constexpr std::size_t kHeadsMax = 64;

// Where a repository is opened, and which one it is. A replica has the id of its original, but key slots of its own.
struct HeadPlace {
  std::string address;  // location_address() of tools/repository/open_repository.h
  Uuid slot;            // Repository::opened_with_slot
};

class HeadDirectory {
 public:
  // Reads and creates nothing yet. Without a `state_dir` no head is kept, and none is found.
  HeadDirectory(std::string state_dir, const Uuid& repository, HeadPlace place);

  // Recorded heads, by the names of their manifests.
  struct Known {
    std::set<std::string> settled;  // no longer need to be remembered: settled_by
    std::set<std::string> lost;     // missing, according to check_head
  };
  // Records a head as seen at this place, next to the recorded heads of the stream, and drops the settled ones.
  // Processes take turns. The file is complete and durable on return: temporary file, fsync, rename. Errors: those of
  // load; kDenied, kNoSpace, kIo, with the path; kBusy (another process keeps the directory locked).
  Result<void> store(const Head& head, const Known& known);
  // The heads that were recorded at this place, newest first, also under an earlier name of it (a directory that was
  // moved: gone from there, and opened here with the same key slot). Errors: kCorrupt (no heads), kDenied, kIo.
  [[nodiscard]] Result<std::vector<Head>> load(std::string_view stream) const;
  struct Recorded {
    std::vector<Head> heads;        // by stream, newest first, of this place
    std::vector<Head> elsewhere;    // of other places with this repository id: presumably replicas
    std::vector<Error> unreadable;  // files that are not heads, or cannot be read
  };
  // All heads of this repository. Errors: kDenied, kIo (the directory).
  [[nodiscard]] Result<Recorded> load_all() const;
  [[nodiscard]] std::string path_of(std::string_view stream) const;  // of the heads of a stream at this place
  [[nodiscard]] std::string path_of(const Head& head) const;         // of one that was loaded
  // The `heads` that `catalog` contradicts, according to check_head, with the file of each head that was loaded.
  [[nodiscard]] std::vector<LostSnapshot> lost_snapshots(const std::vector<Head>& heads,
                                                         const SnapshotCatalog& catalog) const;

 private:
  struct StreamAt {
    std::string_view stream;
    std::string_view place;
  };
  [[nodiscard]] std::string path_of(const StreamAt& at) const;
  [[nodiscard]] bool is_here(const Head& head) const;
  [[nodiscard]] Result<void> write(const std::vector<Head>& heads) const;  // of one stream, at least one
  const std::string directory_;
  const HeadPlace place_;
};

// "pg/app=12:<64 hex digits>", as push prints it. Errors: kUsage.
Result<Head> parse_head(std::string_view text);
std::string format_head(const Head& head);

// Compares one head with the repository. Empty: nothing is wrong (the snapshot is there, or was removed with an
// authentic mark). Otherwise what is wrong, for exit code 13. A manifest that is there but unreadable is damage, which
// verify reports.
std::optional<std::string> check_head(const Head& head, const SnapshotCatalog& catalog);

// The `heads` that need not be remembered next to the new head that `manifest` makes, as names of manifests: those that
// it follows, directly or through snapshots of `catalog`, and those that were removed with an authentic mark; never one
// that is missing according to check_head.
std::set<std::string> settled_by(const Manifest& manifest, const std::vector<Head>& heads,
                                 const SnapshotCatalog& catalog);

struct StateDir {
  std::string path;
  bool is_temporary = false;  // in a directory that is cleaned up by others
};

// $XDG_STATE_HOME/drstream, or ~/.local/state/drstream; /var/lib/drstream for root; without either variable
// private_directory("/var/tmp/drstream-<uid>"), which is temporary. Errors: those of private_directory.
Result<StateDir> default_state_dir();

// Makes `path`, in a directory where everyone may create names, a directory that only we can write to; it may be there
// already. Errors: kDenied (a link, not a directory, or of another owner: heads in it could be removed or replaced).
Result<std::string> private_directory(const std::string& path);

}  // namespace drs
