// Checks every recipe of a snapshot: reads its parts, locates every block that they name, and checks that every run
// lies inside its block and, with `read_data`, covers exactly the chunks that it states. Adds to each finding about
// damage which bytes of the snapshot it affects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/repository/block_reader.h"
#include "engine/repository/live_index.h"
#include "verify/check_context.h"
#include "verify/index_claims.h"

namespace drs {

// Reports that the manifest of a snapshot of the catalog can no longer be read, unless it was removed in the meantime.
// Errors: `error`, if it does not concern a stored object.
Result<void> report_lost_manifest(CheckContext& context, const Snapshot& snapshot, const Error& error);

// Reports that a located block cannot be read, and returns the finding's number. Lasting damage is marked: the block,
// or the whole pack if it is_unreadable. Adds the block to the damage map, or the pack if it is missing. Errors:
// `error`, if it does not concern a stored object.
Result<std::size_t> report_unreadable_block(CheckContext& context, const BlockLocation& location, Error error);

// One thread. Everything passed in must outlive it.
class RecipeCheck {
 public:
  // `rebuilt_ids`: snapshots that this run has rebuilt completely.
  RecipeCheck(CheckContext& context, LiveIndex& index, BlockReader& reader, IndexClaims& claims,
              const std::unordered_set<std::string>& rebuilt_ids)
      : context_(context),
        store_(context.repository.store()),
        index_(index),
        reader_(reader),
        claims_(claims),
        rebuilt_ids_(rebuilt_ids) {}

  // Errors: those that do not concern stored objects; kCancelled.
  Result<void> check(const Snapshot& snapshot);
  [[nodiscard]] std::uint64_t parts() const { return parts_; }
  [[nodiscard]] std::uint64_t blocks() const { return blocks_; }

 private:
  // A block in the dictionary of a recipe part: what runs are compared with, or its finding.
  struct Block {
    std::optional<std::size_t> finding;
    BlockId id;
    BlockClaim place;
    std::uint64_t lists = 0;  // LiveIndex::lists_made when `place` was found: other lists have other places
    std::uint32_t raw_bytes = 0;
    std::uint32_t chunk_count = 0;
  };
  struct Located {
    std::optional<std::size_t> finding;
    std::optional<BlockLocation> location;
  };

  // The finding for a located block. Empty if it is not damaged.
  [[nodiscard]] std::optional<std::size_t> damage_of(const Snapshot& snapshot, const BlockLocation& location) const;
  Result<Located> locate(const Snapshot& snapshot, const BlockId& id, BlockKind kind);
  Result<std::optional<RecipePart>> read_part(const Snapshot& snapshot, const RecipePartRef& ref);
  Result<void> check_part(const Snapshot& snapshot, const RecipePart& part);
  Result<void> check_run(const Snapshot& snapshot, const Run& run, Block& block, std::uint64_t offset_bytes);
  // Returns the problem of a run in a readable block; empty if there is none.
  Result<std::string> run_problem(const Run& run, Block& block);
  // The chunks of a located block. Locates it again if the index was loaded again.
  Result<ChunkList> chunks_of(Block& block);

  CheckContext& context_;
  ObjectStore& store_;
  LiveIndex& index_;
  BlockReader& reader_;
  IndexClaims& claims_;
  const std::unordered_set<std::string>& rebuilt_ids_;
  std::uint64_t parts_ = 0;
  std::uint64_t blocks_ = 0;
  // Of the last run's block: the beginning of each chunk, and the end of the last one.
  std::optional<BlockId> resolved_;
  std::vector<std::uint32_t> chunk_begins_;
};

}  // namespace drs
