// What a new snapshot consists of besides its manifest: the packs that hold its blocks and the index objects that lead
// to them. A store that locks objects (ObjectStore::locks) is asked to lock these anew, so that no part of the snapshot
// is free before the rest. Memory: about 60 bytes for each pack. Threads: one thread at a time.
#pragma once

#include <unordered_set>
#include <vector>

#include "engine/format/recipe.h"
#include "engine/pipeline/pack_writer.h"
#include "engine/repository/block_index.h"

namespace drs {

class LockedObjects {
 public:
  // `index` must outlive it. `session` is this push's own, whose blocks are in packs that it puts itself.
  LockedObjects(BlockIndex& index, const Uuid& session) : index_(index), session_(session) {}

  // Notes where the blocks of a finished part are. Errors: those of BlockIndex::locate.
  Result<void> add(const RecipePart& part);
  // Notes what this push has put.
  void add_own(const PublishedIndex& published);

  // Names to lock again; `own` too, where the push took so long that their time is running.
  [[nodiscard]] std::vector<ObjectKey> names(bool own) const;

 private:
  BlockIndex& index_;
  const Uuid session_;
  std::unordered_set<Digest, FixedBytesHash> packs_;
  std::unordered_set<std::uint32_t> units_;
  std::vector<Digest> own_packs_;
  std::vector<std::string> own_indexes_;
};

}  // namespace drs
