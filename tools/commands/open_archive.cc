#include "tools/commands/open_archive.h"

#include <utility>

#include "engine/topics/cluster_error.h"
#include "engine/topics/topic_memory.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {

void declare_archive(CLI::App& app, std::string& selector) {
  app.add_option("SNAPSHOT", selector, "A snapshot of an archive: prod, prod@latest, prod@TIME, an id")
      ->required()
      ->type_name("");
}

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

Result<ArchiveAndCluster> open_archive_and_cluster(CommandContext& context, const std::string& selector,
                                                   const TopicChoice& choice, const KafkaSettings& settings) {
  DRS_ASSIGN_OR_RETURN(const std::size_t memory_bytes, context.options.memory_bytes());
  ArchiveAndCluster both;
  DRS_ASSIGN_OR_RETURN(both.archive, open_archive(context, selector, memory_bytes / 16));
  DRS_ASSIGN_OR_RETURN(both.topics, choose_topics(both.archive.view(), choice));
  DRS_ASSIGN_OR_RETURN(
      both.clients, of_source(connect_kafka(context, settings, {.memory_bytes = reading_client_bytes(memory_bytes)})));
  return both;
}

}  // namespace drs
