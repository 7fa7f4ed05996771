// Opens the archive of topics that a command reads, and the cluster that it is compared with.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "engine/topics/open_topics.h"
#include "engine/topics/restore_plan.h"
#include "tools/command.h"
#include "tools/commands/kafka_options.h"

namespace drs {

// The argument SNAPSHOT.
void declare_archive(CLI::App& app, std::string& selector);

struct OpenedArchive {
  std::unique_ptr<Repository> repository;
  Snapshot snapshot;
  std::unique_ptr<OpenTopics> topics;
  [[nodiscard]] TopicView& view() const { return topics->view(); }
};
// Errors: those of open_repository, of a selector, of OpenTopics::open.
Result<OpenedArchive> open_archive(CommandContext& context, const std::string& selector, std::size_t cache_bytes);

struct ArchiveAndCluster {
  OpenedArchive archive;
  std::vector<ChosenTopic> topics;  // of `archive`
  KafkaClients clients;
};
// For a command that compares them, within its --memory. Errors: those of open_archive and choose_topics; those of the
// cluster as of_source has them: it is only read.
Result<ArchiveAndCluster> open_archive_and_cluster(CommandContext& context, const std::string& selector,
                                                   const TopicChoice& choice, const KafkaSettings& settings);

}  // namespace drs
