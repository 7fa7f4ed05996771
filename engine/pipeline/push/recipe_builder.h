// Collects the chunks of a stream, in order, into recipe parts of bounded size.
#pragma once

#include <optional>
#include <unordered_map>

#include "engine/format/manifest.h"
#include "engine/format/recipe.h"
#include "engine/format/session_list.h"

namespace drs {

// How the recipe of a stream is divided into parts. A stream of 200 TB in runs of four chunks fits
// (tests/engine/pipeline/push/recipe_builder_test.cc). If a stream is more scattered than that, a push stores short
// runs of known chunks anew from `parts_scattered_max` on, so that the runs become long (Deduplicator).
struct RecipeLimits {
  std::size_t parts_max = kManifestPartsMax;
  std::size_t parts_scattered_max = kManifestPartsMax / 16 * 15;
  // The first `small_parts` parts are small, so that a range restore reads little and the restore planner holds few
  // runs. Later parts may be as long as a block.
  std::size_t small_parts = 4096;
  std::size_t small_part_bytes_max = 256 * kKiB;
  std::size_t part_bytes_max = kBlockBytesMax;
  // The most that a restore has memory for (pull_memory.cc).
  std::size_t part_runs_max = 128 * kKiB;
};

// Where one chunk of the stream is.
struct ChunkPlace {
  BlockId block;
  std::uint32_t chunk = 0;
  std::uint32_t offset_bytes = 0;  // in the block's plaintext
};

class RecipeBuilder {
 public:
  explicit RecipeBuilder(const RecipeLimits& limits = {}) : limits_(limits) {}
  // Appends a chunk of `bytes`. Returns the finished part if the chunk might have exceeded its bound and begins the
  // next part.
  std::optional<RecipePart> add(const ChunkPlace& place, std::uint32_t bytes);
  // Returns the last part, if it holds any chunk.
  std::optional<RecipePart> finish();

 private:
  [[nodiscard]] std::size_t part_bytes_max() const {
    return parts_finished_ < limits_.small_parts ? limits_.small_part_bytes_max : limits_.part_bytes_max;
  }
  [[nodiscard]] bool is_full() const;
  RecipePart take();
  const RecipeLimits limits_;
  std::size_t parts_finished_ = 0;
  RecipePart part_;
  std::unordered_map<BlockId, std::uint32_t, BlockIdHash> numbers_;
  SessionNumbers sessions_;
  std::size_t encoded_bytes_ = kRecipePartHeaderBytes;  // without the last run, which may still grow
};

}  // namespace drs
