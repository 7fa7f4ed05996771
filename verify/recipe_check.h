// Every recipe of a snapshot: its parts are read, every block they name is located, every run lies inside its block
// and, with `read_data`, is exactly the chunks it says. Damage found before is told which bytes of which snapshot it
// takes.
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

// Tells that the manifest of a snapshot of the catalog cannot be read any more, unless it was removed meanwhile.
// Errors: `error`, where it is not about stored objects.
Result<void> report_lost_manifest(CheckContext& context, const Snapshot& snapshot, const Error& error);

// Tells that a located block cannot be read, and marks it where its bytes are gone, or its whole pack where that
// is_unreadable; the damage map has it, or its pack where that is gone. Returns the finding's number. Errors: `error`,
// where it is not about stored objects.
Result<std::size_t> report_unreadable_block(CheckContext& context, const BlockLocation& location, Error error);

// One thread. Everything passed in must outlive it.
class RecipeCheck {
 public:
  // `rebuilt_ids`: snapshots that this run has rebuilt whole.
  RecipeCheck(CheckContext& context, LiveIndex& index, BlockReader& reader, IndexClaims& claims,
              const std::unordered_set<std::string>& rebuilt_ids)
      : context_(context),
        store_(context.repository.store()),
        index_(index),
        reader_(reader),
        claims_(claims),
        rebuilt_ids_(rebuilt_ids) {}

  // Errors: those that are not about stored objects; kCancelled.
  Result<void> check(const Snapshot& snapshot);
  [[nodiscard]] std::uint64_t parts() const { return parts_; }
  [[nodiscard]] std::uint64_t blocks() const { return blocks_; }

 private:
  // A block of a part's dictionary: what runs are held against, or what is wrong with it.
  struct Block {
    std::optional<std::size_t> finding;
    BlockId id;
    BlockPlace place;
    std::uint64_t lists = 0;  // in which the place counts (LiveIndex::lists_made)
    std::uint32_t raw_bytes = 0;
    std::uint32_t chunk_count = 0;
  };
  struct Located {
    std::optional<std::size_t> finding;
    std::optional<BlockLocation> location;
  };

  // The finding that damages a located block.
  [[nodiscard]] std::optional<std::size_t> damage_of(const Snapshot& snapshot, const BlockLocation& location) const;
  Result<Located> locate(const Snapshot& snapshot, const BlockId& id, BlockKind kind);
  Result<std::optional<RecipePart>> read_part(const Snapshot& snapshot, const RecipePartRef& ref);
  Result<void> check_part(const Snapshot& snapshot, const RecipePart& part);
  Result<void> check_run(const Snapshot& snapshot, const Run& run, Block& block, std::uint64_t offset_bytes);
  // What is wrong with a run that lies in a readable block; empty when nothing is.
  Result<std::string> run_problem(const Run& run, Block& block);
  // The chunks of a located block, located anew where that is needed.
  Result<ChunkList> chunks_of(Block& block);

  CheckContext& context_;
  ObjectStore& store_;
  LiveIndex& index_;
  BlockReader& reader_;
  IndexClaims& claims_;
  const std::unordered_set<std::string>& rebuilt_ids_;
  std::uint64_t parts_ = 0;
  std::uint64_t blocks_ = 0;
  // Where each chunk of the block of the last run begins, and where the last ends.
  std::optional<BlockId> resolved_;
  std::vector<std::uint32_t> chunk_begins_;
};

}  // namespace drs
