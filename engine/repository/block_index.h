// Locates blocks and their chunks: by the index objects, and by the tables of packs that no index object covers.
//
// The index is a set of *units*: one per index object, one per uncovered pack. Opening reads only each unit's summary.
// Directories and chunk lists are read by range on demand and kept in a cache of bounded size. Threads: one thread at a
// time.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/format/index.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/repository.h"

namespace drs {

// A claim: block number `block` of unit number `unit`. Stays valid for the life of the BlockIndex.
struct BlockClaim {
  std::uint32_t unit = 0;
  std::uint32_t block = 0;
  friend bool operator==(const BlockClaim&, const BlockClaim&) = default;
};
// A claim as one number.
constexpr std::uint64_t key_of(BlockClaim place) {
  return std::uint64_t{place.unit} << 32 | place.block;
}

struct BlockLocation {
  BlockClaim place;
  BlockRecord record;
  Digest pack;
  std::uint64_t pack_bytes = 0;
  Salt salt;
  bool usable = true;  // false: the pack is condemned, missing or unreadable, or the block is marked as damaged
};

using Directory = std::shared_ptr<const std::vector<DirectoryEntry>>;
using ChunkList = std::shared_ptr<const std::vector<ChunkEntry>>;

class BlockIndex {
 public:
  struct Options {
    std::size_t cache_bytes = 16 * kMiB;  // of directories and chunk lists
  };
  // Skips a damaged index object: its packs then count as uncovered, and problems() names it. If an index object has
  // vanished since it was listed, lists again; one that is listed again but still missing counts as damaged. `listing`
  // provides the list of index objects, if it has it. All references must outlive the index. Errors: kUnavailable
  // (objects vanish in every list), the store's.
  static Result<std::unique_ptr<BlockIndex>> load(Repository& repository, ObjectStore& store, const PackCatalog& packs,
                                                  Options options, Listing listing = {});
  ~BlockIndex();

  struct Problem {
    std::string object;
    Error error;
  };
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  // One of them that is of an index object, or of their list, and not of a pack that none lists; null for none.
  [[nodiscard]] const Problem* problem_of_index_object() const;
  // Whether an object that the index was loaded from has vanished since it was listed. A block that is not found may
  // then lie elsewhere: packs and index must be loaded again.
  [[nodiscard]] bool vanished() const { return vanished_; }
  [[nodiscard]] std::size_t unit_count() const;
  [[nodiscard]] std::uint64_t chunk_count() const;  // over all units; a chunk stored twice counts twice
  [[nodiscard]] std::uint64_t block_count() const;
  [[nodiscard]] bool unit_is_uncovered_pack(std::uint32_t unit) const;
  [[nodiscard]] std::string unit_name(std::uint32_t unit) const;   // of the object that it was read from
  [[nodiscard]] std::size_t unit_bytes(std::uint32_t unit) const;  // of that object
  [[nodiscard]] std::uint32_t unit_blocks(std::uint32_t unit) const;
  [[nodiscard]] const std::vector<IndexedPack>& unit_packs(std::uint32_t unit) const;  // valid until a unit is added

  // The units that claim blocks of a session, each once.
  [[nodiscard]] std::vector<std::uint32_t> units_of_session(const Uuid& session) const;
  // Returns the best claim for a block: its pack exists with the right size; usable ones first. Errors: kNotFound (no
  // claim with an existing pack: the block is lost), kCorrupt (the unit cannot be read), the store's.
  Result<BlockLocation> locate(const BlockId& id);
  // Returns a claim for a block whether or not its pack exists: its chunks may have other copies. Errors: kNotFound (no
  // unit names the block).
  Result<BlockClaim> any_claim(const BlockId& id);
  // Returns the pack that a claim names, whether or not it exists. Errors: as chunks.
  Result<IndexedPack> claimed_pack(BlockClaim place);
  // Drops all cached directories and chunk lists.
  void drop_cache();
  // The store lists this pack, but cannot find or read it: its blocks are no longer usable.
  void set_unusable(const Digest& pack) { unusable_packs_.insert(pack); }
  // Returns the location that a claim names. Errors: kNotFound (its pack does not exist with this size), kCorrupt (the
  // unit cannot be read), the store's.
  Result<BlockLocation> location(BlockClaim place);
  // Returns the chunks of a block. Cached. Errors: kCorrupt (the unit cannot be read), the store's.
  Result<ChunkList> chunks(BlockClaim place);
  // Returns all hooks of a unit; for an uncovered pack, those of its chunks that are hooks. Errors: as chunks.
  Result<std::vector<Hook>> hooks(std::uint32_t unit);
  // Returns the blocks of a unit, sorted by id. Cached. Errors: as chunks.
  Result<Directory> directory(std::uint32_t unit);
  // Calls `visit` for each of the units, in their order, with what `directory` returns; reads several at a time.
  // Cached. Errors: those of `visit`; the store itself failed.
  Result<void> visit_directories(
      std::span<const std::uint32_t> units,
      const std::function<Result<void>(std::uint32_t unit, const Result<Directory>&)>& visit);
  // Reads several at a time the directories in which `locate` looks for these blocks first. They stay as long as the
  // cache has room for them; what cannot be read is left to `locate`. Errors: the store itself failed.
  Result<void> read_ahead(std::span<const BlockId> blocks);
  // Calls `visit(block, entries)` for each block of a unit that has chunks. Reads the unit once, from end to end, and
  // does not cache it. Errors: as chunks; those of `visit`.
  Result<void> visit_chunks(
      std::uint32_t unit,
      const std::function<Result<void>(std::uint32_t block, const std::vector<ChunkEntry>&)>& visit);

  // Adds an index object that this process has stored.
  void add_unit(const std::string& name, std::uint64_t bytes, const IndexSummary& summary, const Salt& salt);

 private:
  struct Unit;
  struct CacheEntry;
  BlockIndex(Repository& repository, ObjectStore& store, const PackCatalog& packs, Options options);
  Result<Bytes> open_section(const Unit& unit, const SealLabel& label, std::uint64_t offset_bytes,
                             std::size_t sealed_bytes);
  Result<void> load_table(std::uint32_t unit);
  Result<void> load_lists(BlockClaim place);
  CacheEntry* cached(std::uint64_t key);
  void add_to_cache(std::uint64_t key, Directory entries, ChunkList list, std::size_t bytes);
  std::uint32_t register_unit(Unit unit);
  template <typename Visit>
  void each_claiming_unit(const BlockId& id, const Visit& visit);
  template <typename Visit>
  Result<void> each_claim(const BlockId& id, const Visit& visit);
  Result<Directory> decode_directory(std::uint32_t unit, ByteView plain);
  Result<void> load_index_objects(ListingRounds& rounds, Listing& listing);
  void add_problem(std::string object, Error error);
  Result<void> read_from(const Unit& unit, std::uint64_t offset_bytes, MutableByteView destination);
  Result<void> load_uncovered(const PackInfo& pack);
  void trim_cache();

  Repository& repository_;
  ObjectStore& store_;
  const PackCatalog& packs_;
  Options options_;
  std::vector<Unit> units_;
  // For each session: the units that claim its blocks, by counter range; sorted by counter_min on first use.
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
  std::unique_ptr<ObjectOpener> opener_;  // of unit opener_unit_, the last one read
  std::uint32_t opener_unit_ = 0;
  std::size_t cached_bytes_ = 0;
  std::uint64_t chunk_count_ = 0;
  std::uint64_t block_count_ = 0;
};

}  // namespace drs
