// Heads: what this machine has seen of each stream, kept outside the repository, so that somebody who removes or rolls
// back snapshots in the repository is noticed (exit code 13).
//
// One small file per repository and stream: <state-dir>/heads/<repository id>/<SHA-256 of the stream's name>.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/repository/snapshots.h"
#include "io/result.h"

namespace drs {

struct Head {
  std::string stream;
  std::uint64_t sequence = 0;
  Digest manifest_digest;
  std::string manifest_name;  // empty where given by hand
  WallNs finished_ns = 0;
  friend bool operator==(const Head&, const Head&) = default;
};

class HeadDirectory {
 public:
  // Nothing is read or created yet.
  HeadDirectory(std::string state_dir, const Uuid& repository);

  // Whole and durable when it returns: temporary file, fsync, rename. Errors: kDenied, kNoSpace, kIo, with the path.
  Result<void> store(const Head& head);
  // Empty: none was recorded. Errors: kCorrupt (not a head), kDenied, kIo.
  [[nodiscard]] Result<std::optional<Head>> load(std::string_view stream) const;
  // All heads of this repository, by stream. Errors: as load.
  [[nodiscard]] Result<std::vector<Head>> load_all() const;
  [[nodiscard]] std::string path_of(std::string_view stream) const;

 private:
  const std::string directory_;
};

// "pg/app=12:<64 hex digits>", as push prints it. Errors: kUsage.
Result<Head> parse_head(std::string_view text);
std::string format_head(const Head& head);

// Compares one head with what the repository shows. Empty: as it should be (there, or removed with an authentic mark).
// Otherwise what is wrong, for exit code 13. A manifest that is there but unreadable is damage, which verify reports.
std::optional<std::string> check_head(const Head& head, const SnapshotCatalog& catalog);

// The same right after a push, from what it made alone: `before` is the head recorded earlier. Several pushes of a
// stream at once may share a sequence number.
std::optional<std::string> check_successor(const Head& before, const ManifestHeader& pushed);

// $XDG_STATE_HOME/drstream, or ~/.local/state/drstream; /var/lib/drstream for root.
std::string default_state_dir();

}  // namespace drs
