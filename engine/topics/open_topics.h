// An archive of topics, opened: the index of its repository and a view of it.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/repository/block_index.h"
#include "engine/repository/listing.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/repository.h"
#include "engine/topics/topic_view.h"

namespace drs {

class OpenTopics {
 public:
  struct Options {
    std::size_t cache_bytes = 16 * kMiB;
    // How packs are loaded again where index objects vanish meanwhile, as under a prune.
    PackCatalog::UnreadableCondemned unreadable = PackCatalog::UnreadableCondemned::kPassOver;
  };
  // `listing` provides the list of index objects, if it has it. Errors: those of TopicView::open; the store's.
  static Result<std::unique_ptr<OpenTopics>> open(Repository& repository, const Snapshot& snapshot, PackCatalog packs,
                                                  const Options& options, Listing listing);
  // Loads the packs itself. For a reader.
  static Result<std::unique_ptr<OpenTopics>> open(Repository& repository, const Snapshot& snapshot,
                                                  std::size_t cache_bytes, Listing listing);

  [[nodiscard]] const PackCatalog& packs() const { return packs_; }
  [[nodiscard]] BlockIndex& index() { return *index_; }
  [[nodiscard]] TopicView& view() { return *view_; }

 private:
  explicit OpenTopics(PackCatalog packs) : packs_(std::move(packs)) {}
  PackCatalog packs_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<BlockIndex> index_;
  std::unique_ptr<TopicView> view_;
};

}  // namespace drs
