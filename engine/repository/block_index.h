// Where blocks lie and which chunks they hold, from index objects and, for packs that no index covers, from their
// tables.
//
// The index is a set of *units*: one per index object, one per uncovered pack. Opening reads each unit's summary only;
// directories and chunk lists are read by range when asked for and kept in a cache of bounded size.
// Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/format/index.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/repository.h"

namespace drs {

// A claim: block number `block` of unit number `unit`. Stays valid for the life of the BlockIndex.
struct BlockPlace {
  std::uint32_t unit = 0;
  std::uint32_t block = 0;
  friend bool operator==(const BlockPlace&, const BlockPlace&) = default;
};

struct BlockLocation {
  BlockPlace place;
  BlockRecord record;
  Digest pack;
  std::uint64_t pack_bytes = 0;
  Salt salt;
  bool usable = true;  // false: the pack is condemned, gone or unreadable, or the block is marked as damaged
};

using Directory = std::shared_ptr<const std::vector<DirectoryEntry>>;
using ChunkList = std::shared_ptr<const std::vector<ChunkEntry>>;

class BlockIndex {
 public:
  struct Options {
    std::size_t cache_bytes = 16 * kMiB;  // of directories and chunk lists
  };
  // A damaged index object is passed over (its packs then count as uncovered) and told in problems(); where one has
  // gone since it was listed, the list is made again, and what is listed again and not there is damaged. `store` must
  // outlive the index.
  static Result<std::unique_ptr<BlockIndex>> load(Repository& repository, ObjectStore& store, const PackCatalog& packs,
                                                  Options options);
  ~BlockIndex();

  struct Problem {
    std::string object;
    Error error;
  };
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  // Whether something that it was loaded from has gone since it was listed, so that a block which is not found may lie
  // elsewhere by now: packs and index are to be loaded anew.
  [[nodiscard]] bool vanished() const { return vanished_; }
  [[nodiscard]] std::size_t unit_count() const;
  [[nodiscard]] std::uint64_t chunk_count() const;  // over all units; a chunk stored twice counts twice
  [[nodiscard]] std::uint64_t block_count() const;
  [[nodiscard]] bool unit_is_uncovered_pack(std::uint32_t unit) const;
  [[nodiscard]] std::string unit_name(std::uint32_t unit) const;   // of the object it was read from
  [[nodiscard]] std::size_t unit_bytes(std::uint32_t unit) const;  // of that object
  [[nodiscard]] std::uint32_t unit_blocks(std::uint32_t unit) const;
  [[nodiscard]] const std::vector<IndexedPack>& unit_packs(std::uint32_t unit) const;  // until a unit is added

  // The best claim for a block: one whose pack exists with the right size, usable ones first. Errors: kNotFound (no
  // claim with an existing pack: the block is lost), kCorrupt (the unit cannot be read), the store's.
  Result<BlockLocation> locate(const BlockId& id);
  // A claim for a block whether or not its pack exists: its chunks may have other copies. kNotFound: no unit names the
  // block.
  Result<BlockPlace> any_claim(const BlockId& id);
  // The pack in which a unit says that one of its blocks lies, whether it is there or not. Errors: as chunks.
  Result<IndexedPack> claimed_pack(BlockPlace place);
  // Forgets what was read and can be read again.
  void drop_cache();
  // The store says that this pack is not there, whatever its list says, or cannot give it back: its blocks are not
  // usable any more.
  void set_unusable(const Digest& pack) { unusable_packs_.insert(pack); }
  // One claim, whether or not its pack exists: then kNotFound.
  Result<BlockLocation> location(BlockPlace place);
  // The chunks of a block. Cached.
  Result<ChunkList> chunks(BlockPlace place);
  // All hooks of a unit (all chunks of an uncovered pack that are hooks).
  Result<std::vector<Hook>> hooks(std::uint32_t unit);
  // Calls `visit(block, entries)` for each block with chunks of a unit, reading the unit once from end to end, outside
  // the cache.
  Result<void> visit_chunks(
      std::uint32_t unit,
      const std::function<Result<void>(std::uint32_t block, const std::vector<ChunkEntry>&)>& visit);

  // Adds an index object that this process has just stored.
  void add_unit(const std::string& name, std::uint64_t bytes, const IndexSummary& summary, const Salt& salt);

 private:
  struct Unit;
  struct CacheEntry;
  BlockIndex(Repository& repository, ObjectStore& store, const PackCatalog& packs, Options options);
  Result<Directory> directory(std::uint32_t unit);
  Result<Bytes> open_section(const Unit& unit, const SealLabel& label, std::uint64_t offset_bytes,
                             std::size_t sealed_bytes);
  Result<void> load_table(std::uint32_t unit);
  Result<void> load_lists(std::uint32_t unit, std::uint32_t block);
  CacheEntry* cached(std::uint64_t key);
  void add_to_cache(std::uint64_t key, Directory entries, ChunkList list, std::size_t bytes);
  std::uint32_t register_unit(Unit unit);
  template <typename Visit>
  Result<void> each_claim(const BlockId& id, const Visit& visit);
  Result<void> load_index_objects(ListingRounds& rounds);
  void add_problem(std::string object, Error error);
  Result<void> read_from(const Unit& unit, std::uint64_t offset_bytes, MutableByteView destination);
  Result<void> load_uncovered(const PackInfo& pack);
  void trim_cache();

  Repository& repository_;
  ObjectStore& store_;
  const PackCatalog& packs_;
  Options options_;
  std::vector<Unit> units_;
  // Per session: the units that claim blocks of it, by counter range; sorted by counter_min when looked at.
  struct Claim {
    std::uint64_t counter_min, counter_max;
    std::uint32_t unit;
    std::uint64_t counter_max_before = 0;  // the highest counter_max of all claims up to this one
  };
  struct Claims {
    std::vector<Claim> ranges;
    bool sorted = false;
  };
  std::unordered_map<Uuid, Claims, FixedBytesHash> claims_;
  std::vector<Problem> problems_;
  bool vanished_ = false;
  std::unordered_set<Digest, FixedBytesHash> unusable_packs_;
  std::list<CacheEntry> cache_;  // most recently used first
  std::unordered_map<std::uint64_t, std::list<CacheEntry>::iterator> cache_places_;
  std::unique_ptr<ObjectOpener> opener_;  // of the unit read last
  std::uint32_t opener_unit_ = 0;
  std::size_t cached_bytes_ = 0;
  std::uint64_t chunk_count_ = 0;
  std::uint64_t block_count_ = 0;
};

}  // namespace drs
