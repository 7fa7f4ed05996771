#include "engine/topics/open_topics.h"

#include <utility>

namespace drs {
namespace {

constexpr int kAttempts = 5;

}  // namespace

Result<std::unique_ptr<OpenTopics>> OpenTopics::open(Repository& repository, const Snapshot& snapshot,
                                                     PackCatalog packs, const Options& options, Listing listing) {
  std::unique_ptr<OpenTopics> open(new OpenTopics(std::move(packs)));
  DRS_ASSIGN_OR_RETURN(open->store_, repository.store().clone());
  for (int attempt = 1;; ++attempt) {
    DRS_ASSIGN_OR_RETURN(open->index_, BlockIndex::load(repository, *open->store_, open->packs_, {options.cache_bytes},
                                                        std::move(listing)));
    if (!open->index_->vanished() || attempt == kAttempts) break;
    open->index_.reset();
    listing = {};
    DRS_ASSIGN_OR_RETURN(open->packs_, PackCatalog::load(repository, options.unreadable));
  }
  DRS_ASSIGN_OR_RETURN(open->view_, TopicView::open(repository, *open->store_, *open->index_, snapshot));
  return open;
}

Result<std::unique_ptr<OpenTopics>> OpenTopics::open(Repository& repository, const Snapshot& snapshot,
                                                     std::size_t cache_bytes, Listing listing) {
  const Options options{.cache_bytes = cache_bytes};
  DRS_ASSIGN_OR_RETURN(PackCatalog packs, PackCatalog::load_from(repository, options.unreadable, listing));
  return open(repository, snapshot, std::move(packs), options, std::move(listing));
}

}  // namespace drs
