// Opens the archive of topics that a command reads.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "engine/topics/open_topics.h"
#include "tools/command.h"

namespace drs {

struct OpenedArchive {
  std::unique_ptr<Repository> repository;
  Snapshot snapshot;
  std::unique_ptr<OpenTopics> topics;
  [[nodiscard]] TopicView& view() const { return topics->view(); }
};
// Errors: those of open_repository, of a selector, of OpenTopics::open.
Result<OpenedArchive> open_archive(CommandContext& context, const std::string& selector, std::size_t cache_bytes);

}  // namespace drs
