// Writes the recipe of a stream as blocks: collects the places of chunks, in order, and emits each finished part.
// Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/pipeline/push/recipe_builder.h"
#include "engine/pipeline/push/segment.h"

namespace drs {

class RecipeWriter {
 public:
  // `emit` receives each finished recipe block.
  RecipeWriter(BlockIds& ids, std::function<void(BlockJob)> emit, const RecipeLimits& limits)
      : ids_(ids), emit_(std::move(emit)), limits_(limits), builder_(limits) {}

  // Adds the next chunk of the stream. Errors: kUsage (more parts than a manifest can name).
  Result<void> add(const ChunkPlace& place, std::uint32_t bytes);
  // To be called after the last chunk. Errors: as add.
  Result<void> finish();

  // Whether there are so many parts that short runs of known chunks must be stored anew (RecipeLimits).
  [[nodiscard]] bool is_scattered() const { return parts_.size() >= limits_.parts_scattered_max; }
  [[nodiscard]] const std::vector<RecipePartRef>& parts() const { return parts_; }

 private:
  Result<void> emit(const RecipePart& part);

  BlockIds& ids_;
  const std::function<void(BlockJob)> emit_;
  const RecipeLimits limits_;
  RecipeBuilder builder_;
  std::vector<RecipePartRef> parts_;
};

}  // namespace drs
