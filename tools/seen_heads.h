// The heads of one opened repository (tools/heads.h), as a command uses them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/repository/repository.h"
#include "engine/repository/snapshot_selection.h"
#include "tools/command.h"
#include "tools/heads.h"
#include "tools/repository_place.h"

namespace drs {

class SeenHeads {
 public:
  // `context` must outlive it.
  SeenHeads(CommandContext& context, const Repository& repository, const RepositoryPlace& place);
  // Of what --repository names.
  SeenHeads(CommandContext& context, const Repository& repository);

  [[nodiscard]] const HeadDirectory& directory() const { return directory_; }

  // The heads of a stream, newest first; none where they cannot be read, which is warned of.
  [[nodiscard]] std::vector<Head> load(const std::string& stream) const;
  // Remembers the head of what was just committed with `manifest`. `before` is what `load` gave, `shown` what the
  // repository showed of the stream after that. A head that is lost stays until the operator removes it. Warns of that,
  // and where it fails; a push that has committed fails no more.
  void record(const Head& head, const Manifest& manifest, const std::vector<Head>& before,
              const SnapshotCatalog& shown);

  // As load_snapshots. Lists again where the first list lacks a head: it may be older than that head, which a push on
  // this machine has just recorded.
  [[nodiscard]] Result<SnapshotCatalog> load_snapshots(Repository& repository) const;
  // What a selector of the command line means, by `catalog` and by what was seen here. Warns where the answer is older
  // than what was seen at another place of the repository, by its time than another one, or has missed a limit. Errors:
  // those of find_snapshot (tools/selector_text.h).
  [[nodiscard]] Result<const Snapshot*> find(const SnapshotCatalog& catalog, const std::string& selector) const;
  // Warns of everything in the catalog that is damaged, missing, or older than what was seen. Returns how much.
  std::size_t warn_of(const SnapshotCatalog& catalog) const;

 private:
  // All that was seen, read once, when it is first asked for: before the lists (load_snapshots), and never by a push.
  [[nodiscard]] const HeadDirectory::Recorded& recorded() const;

  CommandContext& context_;
  HeadDirectory directory_;
  mutable std::optional<HeadDirectory::Recorded> recorded_;
};

// What is wrong with `head`, which was seen at another place of the repository.
std::string elsewhere_text(const Head& head, const std::string& problem);

}  // namespace drs
