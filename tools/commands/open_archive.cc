#include "tools/commands/open_archive.h"

#include <utility>

#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {

Result<OpenedArchive> open_archive(CommandContext& context, const std::string& selector, std::size_t cache_bytes) {
  OpenedArchive archive;
  Listing listing;
  DRS_ASSIGN_OR_RETURN(archive.repository, open_repository(context, Reads::kData, &listing));
  const SeenHeads seen(context, *archive.repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(*archive.repository, listing));
  DRS_ASSIGN_OR_RETURN(const Snapshot* const snapshot, seen.find(catalog, selector));
  archive.snapshot = *snapshot;
  DRS_ASSIGN_OR_RETURN(archive.topics,
                       OpenTopics::open(*archive.repository, archive.snapshot, cache_bytes, std::move(listing)));
  return archive;
}

}  // namespace drs
