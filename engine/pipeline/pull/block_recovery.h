// Locates blocks for a restore, and recovers a block that could not be read at the first attempt: reads it again (a
// transient error must not fail a restore), looks it up anew (a prune may have moved it in the meantime), reads another
// copy of it, or rebuilds it from other copies of its chunks, each proven by its keyed chunk id. Of a block that cannot
// be rebuilt it takes the chunks that have another copy.
//
// Threads: one thread at a time, with exclusive use of `repository.store()` and `store`. All calls block.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/pipeline/failure.h"
#include "engine/pipeline/pull/hole_map.h"
#include "engine/pipeline/pull/restore_schedule.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/live_index.h"
#include "engine/repository/repository.h"

namespace drs {

class BlockRecovery {
 public:
  // Lists packs and loads the index; `listing` provides their lists, if it has them. All references must outlive the
  // result. Once `failure` has failed, long searches end early with kCancelled. Errors: the store's.
  static Result<std::unique_ptr<BlockRecovery>> open(Repository& repository, ObjectStore& store, const Failure& failure,
                                                     std::size_t index_cache_bytes, Listing listing = {});

  // Returns where to read a block first. Errors: as LiveIndex::locate.
  Result<BlockLocation> locate(const BlockId& id);

  // Reads a recipe part from any readable copy. `loss` (may be null) is set when the part is lost. Errors: kCorrupt
  // (damage; the text names the block and its damage), the store's, kCancelled.
  Result<RecipePart> read_recipe_part(const RecipePartRef& ref, Loss* loss = nullptr);

  struct Recovered {
    RestoredBlock block;              // its lost bytes, if any, have no copy
    std::uint64_t decoded_bytes = 0;  // plaintext of all blocks decoded for the recovery
    std::uint64_t read_bytes = 0;     // sealed bytes of these blocks
    bool healed = false;              // rebuilt from other copies of its chunks, all of them
    std::string problem;              // if bytes are lost: the damage, and why the block cannot be rebuilt
  };
  // Writes the plaintext of data block `id` to the beginning of `plain` (kBlockBytesMax bytes), after a first attempt
  // failed with `first_error`: at `tried`, or without a location. Lost bytes become zeros; if the chunks of the block
  // are not known, these are all of `plain`. Errors: the store's, kCancelled.
  Result<Recovered> recover(const BlockId& id, const std::optional<BlockLocation>& tried, const Error& first_error,
                            MutableByteView plain);

 private:
  struct MissingChunk {
    std::vector<std::size_t> offsets;  // in the block, which may contain the chunk more than once
    std::uint16_t bytes = 0;
  };
  using MissingChunks = std::unordered_map<ChunkId, MissingChunk, FixedBytesHash>;

  BlockRecovery(Repository& repository, const Failure& failure, std::unique_ptr<LiveIndex> lists, BlockReader reader)
      : repository_(repository), failure_(failure), lists_(std::move(lists)), reader_(std::move(reader)) {}
  [[nodiscard]] Result<void> check_running() const;
  Result<bool> renew(const std::optional<BlockLocation>& tried, const Error& error);
  std::vector<std::uint32_t>& units();
  Result<RecipePart> read_other_copy(const RecipePartRef& ref, const Error& error);
  Loss loss_of(const BlockId& id, const std::optional<BlockLocation>& at, const Error& error);
  Result<Recovered> heal(const BlockId& id, MutableByteView plain);
  static std::vector<BlockSpan> spans_of(const MissingChunks& missing);
  Result<void> fill_from_unit(std::uint32_t unit, MissingChunks& missing, MutableByteView plain, Recovered& recovered);
  bool fill_from_block(BlockClaim place, MissingChunks& missing, MutableByteView plain, Recovered& recovered);

  Repository& repository_;
  const Failure& failure_;
  const std::unique_ptr<LiveIndex> lists_;
  BlockReader reader_;
  std::vector<std::uint32_t> units_;
  std::uint64_t units_of_ = 0;  // LiveIndex::lists_made when units_ was filled
};

}  // namespace drs
