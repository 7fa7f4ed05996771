// What a push knows of the repository's content: the packs, the index of their blocks, the deduplication table, and the
// push's own blocks that no index object covers yet.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "engine/pipeline/push/dedup_index.h"
#include "engine/pipeline/push/session_blocks.h"
#include "engine/repository/block_index.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/listing.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/snapshots.h"

namespace drs {

// Threads: one thread at a time; `session_blocks()` is thread-safe.
class KnownBlocks {
 public:
  struct Options {
    Uuid session;
    std::size_t index_cache_bytes = 0;
    std::size_t index_table_bytes = 0;
    const Snapshot* previous = nullptr;  // the stream's last: its blocks are preferred
  };
  // Loads the index of `packs`; `listing` provides the list of index objects, if it has it. An object that vanishes
  // while it is loaded was replaced by a repair or deleted by a prune: everything is listed and loaded again, at most
  // five times, after which the push continues with what it has. `store` is the caller's own instance and outlives the
  // result. Skips unreadable objects with a warning. Errors: index objects cannot be listed; the store's.
  static Result<std::unique_ptr<KnownBlocks>> load(Repository& repository, ObjectStore& store, const Options& options,
                                                   PackCatalog packs, Listing listing,
                                                   std::vector<std::string>& warnings);

  [[nodiscard]] PackCatalog& packs() { return packs_; }
  [[nodiscard]] BlockIndex& index() { return *index_; }
  [[nodiscard]] SessionBlocks& session_blocks() { return session_blocks_; }
  [[nodiscard]] DedupIndex& dedup() { return *dedup_; }

 private:
  explicit KnownBlocks(PackCatalog packs) : packs_(std::move(packs)) {}
  // The recipe of the stream's last snapshot. Empty if there is none, and, with a warning, if its manifest is damaged
  // or missing. Needs `index_`.
  Result<PreviousRecipe> load_previous(Repository& repository, ObjectStore& store, const Options& options,
                                       std::vector<std::string>& warnings);
  Result<void> load_once(Repository& repository, ObjectStore& store, const Options& options, Listing listing,
                         std::vector<std::string>& warnings);

  PackCatalog packs_;
  std::unique_ptr<BlockIndex> index_;
  SessionBlocks session_blocks_;
  std::unique_ptr<BlockReader> reader_;
  std::unique_ptr<DedupIndex> dedup_;  // uses all of the above
};

}  // namespace drs
