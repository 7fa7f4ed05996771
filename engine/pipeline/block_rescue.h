// Finding blocks for a restore, and getting those that cannot simply be read: read again (a transient error must not
// fail a restore), looked up anew (a prune may have moved it meanwhile), read from another copy, or rebuilt from other
// copies of its chunks, each proven by its keyed chunk id.
//
// Threads: one thread at a time, which meanwhile alone uses `repository.store()` and `store`. Everything blocks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/pipeline/failure.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/live_index.h"
#include "engine/repository/repository.h"

namespace drs {

class BlockRescue {
 public:
  // Lists packs and loads the index. The references must outlive the object; long searches end early, with kCancelled,
  // once `failure` has failed. Errors: the store's.
  static Result<std::unique_ptr<BlockRescue>> open(Repository& repository, ObjectStore& store, const Failure& failure,
                                                   std::size_t index_cache_bytes);

  // Where to read a block first. Errors: as LiveIndex::locate.
  Result<BlockLocation> locate(const BlockId& id);

  // A recipe part, from any copy that can be read. Errors: kCorrupt (damage; the text names the block and what is wrong
  // with each copy), the store's.
  Result<RecipePart> read_recipe_part(const RecipePartRef& ref);

  struct Rescued {
    std::size_t plain_bytes = 0;
    std::uint64_t decoded_bytes = 0;  // of all blocks that were decoded for it
    std::uint64_t read_bytes = 0;     // sealed
    bool healed = false;              // not read from its own pack, but put together from other copies
  };
  // Puts the plaintext of data block `id` at the beginning of `plain` (kBlockBytesMax bytes) after a first attempt
  // failed with `first_error`, at `tried` if it was located at all. Errors: kCorrupt (damage beyond repair; the text
  // says what is wrong with the block and why it cannot be rebuilt), the store's.
  Result<Rescued> rescue(const BlockId& id, const std::optional<BlockLocation>& tried, const Error& first_error,
                         MutableByteView plain);

 private:
  struct MissingChunk {
    std::vector<std::size_t> offsets;  // in the block: a chunk may stand there more than once
    std::uint16_t bytes = 0;
  };
  using MissingChunks = std::unordered_map<ChunkId, MissingChunk, FixedBytesHash>;

  BlockRescue(Repository& repository, const Failure& failure, std::unique_ptr<LiveIndex> lists, BlockReader reader)
      : repository_(repository), failure_(failure), lists_(std::move(lists)), reader_(std::move(reader)) {}
  [[nodiscard]] Result<void> check_running() const;
  Result<bool> renew(const std::optional<BlockLocation>& tried, const Error& error);
  std::vector<std::uint32_t>& units();
  Result<RecipePart> read_other_copy(const RecipePartRef& ref, const Error& error);
  Result<Rescued> heal(const BlockId& id, MutableByteView plain);
  Result<void> fill_from_unit(std::uint32_t unit, MissingChunks& missing, MutableByteView plain, Rescued& rescued);
  bool fill_from_block(BlockPlace place, MissingChunks& missing, MutableByteView plain, Rescued& rescued);

  Repository& repository_;
  const Failure& failure_;
  const std::unique_ptr<LiveIndex> lists_;
  BlockReader reader_;
  std::vector<std::uint32_t> units_;
  std::uint64_t units_of_ = 0;  // of which lists
};

}  // namespace drs
