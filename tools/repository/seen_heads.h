// The heads of one opened repository (tools/repository/heads.h), as a command uses them.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/repository/repository.h"
#include "engine/repository/snapshot_selection.h"
#include "tools/command.h"
#include "tools/repository/heads.h"
#include "tools/repository/repository_location.h"

namespace drs {

class SeenHeads {
 public:
  // `context` must outlive it.
  SeenHeads(CommandContext& context, const Repository& repository, const RepositoryLocation& place);
  // For the repository of --repository.
  SeenHeads(CommandContext& context, const Repository& repository);

  [[nodiscard]] const HeadDirectory& directory() const { return directory_; }

  // The heads of a stream, newest first. Warns and returns none if they cannot be read.
  [[nodiscard]] std::vector<Head> load(const std::string& stream) const;
  // Records the head of the snapshot that was just committed with `manifest`. `before` is the result of `load`, `shown`
  // what the repository showed of the stream after that. A lost head stays until the operator removes it. Warns of
  // that, and if recording fails: a push that has committed does not fail any more.
  void record(const Head& head, const Manifest& manifest, const std::vector<Head>& before,
              const SnapshotCatalog& shown);
  // The same for a snapshot whose push began long ago: compares the heads that are recorded now with the repository as
  // it is now.
  void record_late(Repository& repository, const Head& head, const Manifest& manifest);

  // As load_snapshots. Lists again if the first list lacks a head: a push on this machine may have recorded the head
  // after that list.
  [[nodiscard]] Result<SnapshotCatalog> load_snapshots(Repository& repository, Listing& listing) const;
  [[nodiscard]] Result<SnapshotCatalog> load_snapshots(Repository& repository) const;
  // Resolves a selector of the command line with `catalog` and the recorded heads. Warns if a newer snapshot was seen
  // at another place of the repository, if another snapshot has a later time, if clocks disagree, or if the
  // result missed a limit. Errors: those of find_snapshot (tools/repository/selector_text.h).
  [[nodiscard]] Result<const Snapshot*> find(const SnapshotCatalog& catalog, const std::string& selector) const;
  // Warns of everything in the catalog that is damaged, missing, or older than what was seen. Returns the warnings.
  std::vector<std::string> warn_of(const SnapshotCatalog& catalog) const;
  // Reads the heads now, warns of those that cannot be read, and returns what tells which of them a catalog that is
  // loaded later has lost, as texts. It must not outlive this object.
  [[nodiscard]] std::function<std::vector<std::string>(const SnapshotCatalog&)> lost_finder() const;
  struct Lost {
    std::vector<std::string> warnings;
    std::size_t snapshots = 0;  // missing at this place (exit code 13)
  };
  // The recorded heads that the catalog contradicts.
  [[nodiscard]] std::vector<LostSnapshot> lost(const SnapshotCatalog& catalog) const {
    return directory_.lost_snapshots(recorded().heads, catalog);
  }
  // The part of warn_of that is not damage, for the streams that `concerns` accepts.
  Lost warn_of_lost(const SnapshotCatalog& catalog, const std::function<bool(const std::string&)>& concerns) const;
  // The streams that match `pattern` (is_stream_pattern), also those that only a damaged or lost snapshot shows.
  // Errors: if no live snapshot matches: kNoSnapshot, or what is wrong with a matching stream whose snapshots are
  // damaged or gone.
  [[nodiscard]] Result<std::set<std::string>> match(const SnapshotCatalog& catalog, const std::string& pattern) const;

 private:
  // All recorded heads, read once on first use: before the lists (load_snapshots), and never by a push.
  [[nodiscard]] const HeadDirectory::Recorded& recorded() const;

  CommandContext& context_;
  HeadDirectory directory_;
  mutable std::optional<HeadDirectory::Recorded> recorded_;
};

// The message for `head`, which was seen at another place of the repository and is missing here.
std::string elsewhere_text(const Head& head, const std::string& problem);

}  // namespace drs
