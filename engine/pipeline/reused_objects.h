// What a new snapshot relies on and this process did not put itself: the packs that hold its blocks and the index
// objects that lead to them. Whoever put them may have died before their names were durable, and their locks may end
// soon, so the store is asked to secure them (ObjectStore::secure) before the manifest is put. Memory: about 60 bytes
// for each pack. Threads: one thread at a time.
#pragma once

#include <chrono>
#include <unordered_set>
#include <vector>

#include "engine/pipeline/pack_writer.h"
#include "engine/repository/block_index.h"

namespace drs {

// What a process put or secured it need not secure again before this: locks last a day longer than asked
// (ObjectStore::retain).
inline constexpr std::chrono::hours kSecuredFor{12};

class ReusedObjects {
 public:
  // `index` must outlive it.
  explicit ReusedObjects(const BlockIndex& index) : index_(index) {}

  // Notes where a block lies that is reused.
  void add(const BlockLocation& block);
  // Notes what this push has put.
  void add_own(const PublishedIndex& published);

  // Names to secure; `own` too, where the push took so long that their time is running.
  [[nodiscard]] std::vector<ObjectKey> names(bool own) const;

 private:
  const BlockIndex& index_;
  std::unordered_set<Digest, FixedBytesHash> packs_;
  std::unordered_set<std::uint32_t> units_;
  std::vector<Digest> own_packs_;
  std::vector<std::string> own_indexes_;
};

// Before a manifest is put that relies on `names`: secures them, and the config and key slots, without which no
// snapshot can be read. An index object that has gone is left out: a repair has replaced it, and packs say themselves
// which blocks they hold. Errors: ObjectStore::secure; a pack that has gone is one.
Result<void> secure_for_commit(ObjectStore& store, std::vector<ObjectKey> names);

}  // namespace drs
