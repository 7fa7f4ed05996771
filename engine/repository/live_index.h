// The packs and the index of a repository, for a reader during prunes and repairs: lists again whenever a listed object
// has vanished. Prunes and repairs store the replacement before they remove an object. So a block that is not found, in
// lists whose objects all exist, is lost.
//
// Threads: one thread at a time. All calls block.
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
  // `packs`, if given, must be recent; otherwise `listing` provides the lists of packs and index objects, if it has
  // them. `repository` and `store` must outlive the object. Errors: the store's.
  static Result<std::unique_ptr<LiveIndex>> open(Repository& repository, ObjectStore& store,
                                                 BlockIndex::Options options, std::optional<PackCatalog> packs = {},
                                                 Listing listing = {});

  // The reference and all claims of the index are valid until lists are made again.
  [[nodiscard]] BlockIndex& index() { return *index_; }
  // The reference is valid until lists are made again.
  [[nodiscard]] const PackCatalog& packs() const { return *packs_; }
  // How many times lists were made: claims stay valid while this value stays the same.
  [[nodiscard]] std::uint64_t lists_made() const { return lists_made_; }
  // Whether a new list has ever differed from the one before.
  [[nodiscard]] bool was_changed() const { return was_changed_; }

  // As BlockIndex::locate. Lists again as `renew` does. For a block that no unit names, also lists again once: the
  // manifest that needs it may be newer than the lists.
  Result<BlockLocation> locate(const BlockId& id);
  // To be called after `error`, from reading at `tried` or, without `tried`, from another use of the index. Lists again
  // if a listed object has vanished: that pack, or a part of the index. Does not list again if new lists named the
  // missing object as well: then the store lists objects that it does not have. Returns whether the lists have changed,
  // so that trying again may succeed. Errors: the store's.
  Result<bool> renew(const std::optional<BlockLocation>& tried, const Error& error);
  // Lists again, for a reader that knows only that an object had vanished; it bounds how often. Returns whether the
  // lists have changed. Errors: the store's.
  Result<bool> list_again() { return load({}, {}); }

 private:
  LiveIndex(Repository& repository, ObjectStore& store, BlockIndex::Options options)
      : repository_(repository), store_(store), options_(options) {}
  // Returns false if the new lists equal the old ones.
  Result<bool> load(std::optional<PackCatalog> packs, Listing listing);

  Repository& repository_;
  ObjectStore& store_;
  const BlockIndex::Options options_;
  std::unique_ptr<PackCatalog> packs_;
  std::unique_ptr<BlockIndex> index_;
  std::uint64_t lists_made_ = 0;
  bool was_changed_ = false;
  bool listed_again_ = false;  // `locate` has listed again without a vanished object
  bool stay_ = false;          // the store lists a missing pack even in a new list: do not list again for it
  int vanished_alike_ = 0;     // how many times in a row an index object had vanished, but the new lists were equal
};

}  // namespace drs
