// The objects that a new snapshot relies on, but this push did not put: the packs that hold its blocks, and the index
// objects that lead to these. The process that put them may have died before their names were durable, and their locks
// may end soon: the store secures them (ObjectStore::secure) before the manifest is put. Memory: about 60 bytes for
// each pack. Threads: one thread at a time.
#pragma once

#include <chrono>
#include <unordered_set>
#include <vector>

#include "engine/pipeline/push/pack_writer.h"
#include "engine/repository/block_index.h"

namespace drs {

// An object that the process put or secured less than this ago need not be secured again: locks last a day longer than
// requested (ObjectStore::secure).
inline constexpr std::chrono::hours kSecuredFor{12};

class ReusedObjects {
 public:
  // `index` must outlive this object.
  explicit ReusedObjects(const BlockIndex& index) : index_(index) {}

  // Adds the pack and the index object of a reused block.
  void add(const BlockLocation& block);
  // Adds an index object that this push has put, and its packs.
  void add_own(const PublishedIndex& published);

  // The names to secure.
  [[nodiscard]] std::vector<ObjectKey> names() const;
  // The same, and those that this push has put: needed if it took longer than kSecuredFor.
  [[nodiscard]] std::vector<ObjectKey> names_with_own() const;

 private:
  const BlockIndex& index_;
  std::unordered_set<Digest, FixedBytesHash> packs_;
  std::unordered_set<std::uint32_t> units_;
  std::vector<Digest> own_packs_;
  std::vector<std::string> own_indexes_;
};

// Secures `names`, and the config and key slots, without which no snapshot can be read. To be called before a manifest
// is put that relies on them. Leaves out missing index objects: a repair has replaced them, and every pack has a table
// of its blocks. Errors: those of ObjectStore::secure; a missing pack is one of them.
Result<void> secure_for_commit(ObjectStore& store, std::vector<ObjectKey> names);

}  // namespace drs
