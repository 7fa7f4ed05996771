// Heads: what this machine has seen of each stream, kept outside the repository, so that somebody who removes or rolls
// back snapshots in the repository is noticed (exit code 13).
//
// One small file for each stream at each place of a repository, since a replica may lag behind:
// <state-dir>/heads/<repository id>/<SHA-256 of place and stream>.json.
#pragma once

#include <optional>
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
  friend bool operator==(const Head&, const Head&) = default;
};

class HeadDirectory {
 public:
  // `place`: where the repository is (tools/place_address.h). Nothing is read or created yet.
  HeadDirectory(std::string state_dir, const Uuid& repository, std::string place);

  // As seen at this place. Whole and durable when it returns: temporary file, fsync, rename. Errors: kDenied, kNoSpace,
  // kIo, with the path.
  Result<void> store(const Head& head);
  // The head with the highest sequence that was recorded at this place, also under an earlier name of it (a directory
  // that was moved). Empty: none was recorded. Errors: kCorrupt (not a head), kDenied, kIo.
  [[nodiscard]] Result<std::optional<Head>> load(std::string_view stream) const;
  struct Recorded {
    std::vector<Head> heads;        // by stream, of this place
    std::vector<Head> elsewhere;    // of other places with this repository id: replicas, or it was moved
    std::vector<Error> unreadable;  // files that are no heads, or cannot be read: what they knew is not known
  };
  // All heads of this repository. Errors: kDenied, kIo (the directory).
  [[nodiscard]] Result<Recorded> load_all() const;
  [[nodiscard]] std::string path_of(std::string_view stream) const;  // of the head of a stream at this place
  [[nodiscard]] std::string path_of(const Head& head) const;         // of one that was loaded

 private:
  [[nodiscard]] std::string path_of(std::string_view stream, std::string_view place) const;
  const std::string directory_;
  const std::string place_;
};

// "pg/app=12:<64 hex digits>", as push prints it. Errors: kUsage.
Result<Head> parse_head(std::string_view text);
std::string format_head(const Head& head);

// Compares one head with what the repository shows. Empty: as it should be (there, or removed with an authentic mark).
// Otherwise what is wrong, for exit code 13. A manifest that is there but unreadable is damage, which verify reports.
std::optional<std::string> check_head(const Head& head, const SnapshotCatalog& catalog);

// The heads that `catalog` contradicts, as check_head says.
std::vector<LostSnapshot> lost_snapshots(const std::vector<Head>& heads, const SnapshotCatalog& catalog);

// The same for what a push has made, without a catalog: `before` is the head that was recorded when it began. No clock
// is asked. Several pushes of a stream at once may share a sequence number, but none has one from before it began.
std::optional<std::string> check_successor(const Head& before, const Head& pushed);

// $XDG_STATE_HOME/drstream, or ~/.local/state/drstream; /var/lib/drstream for root.
std::string default_state_dir();

}  // namespace drs
