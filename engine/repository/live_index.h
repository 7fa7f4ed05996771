// The packs and the index of a repository beside prunes and repairs, for one who only reads: listed again as often as
// something that the lists name has gone. Prunes and repairs replace what they remove before they remove it, so what is
// not found in lists of which nothing has gone is lost.
//
// Threads: one thread at a time. Everything blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/repository/block_index.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/repository.h"

namespace drs {

class LiveIndex {
 public:
  // `packs`, if given, were just listed. `store` must outlive the object. Errors: the store's.
  static Result<std::unique_ptr<LiveIndex>> open(Repository& repository, ObjectStore& store,
                                                 BlockIndex::Options options, std::optional<PackCatalog> packs = {});

  // Until the lists are made again; so are places in it.
  [[nodiscard]] BlockIndex& index() { return *index_; }
  // How often lists were made: a place counts as long as this is the same.
  [[nodiscard]] std::uint64_t lists_made() const { return lists_made_; }
  // Whether lists that were made anew ever named something else.
  [[nodiscard]] bool was_changed() const { return was_changed_; }

  // As BlockIndex::locate. Lists again as `renew` does, and once, although nothing is known to have gone, for a block
  // that is nowhere: what needs it may be newer than the lists.
  Result<BlockLocation> locate(const BlockId& id);
  // After `error`: of reading at `tried`, if anything, or of another use of the index. Lists again if the lists name
  // what has gone since: that pack, or a part of the index. Not where they did so again when they were made anew: then
  // the store lists what it does not have. True: the lists have changed, and it is worth trying again.
  Result<bool> renew(const std::optional<BlockLocation>& tried, const Error& error);

 private:
  LiveIndex(Repository& repository, ObjectStore& store, BlockIndex::Options options)
      : repository_(repository), store_(store), options_(options) {}
  // False: the lists name what they named before.
  Result<bool> load(std::optional<PackCatalog> packs);

  Repository& repository_;
  ObjectStore& store_;
  const BlockIndex::Options options_;
  std::unique_ptr<PackCatalog> packs_;
  std::unique_ptr<BlockIndex> index_;
  std::uint64_t lists_made_ = 0;
  bool was_changed_ = false;
  bool listed_again_ = false;  // although nothing was known to have gone
  bool stay_ = false;          // they name a pack that is not there, and did so again when they were made anew
  int vanished_alike_ = 0;     // how often an index object had gone, and the lists came out alike
};

}  // namespace drs
