// Collects the chunks of a stream, in order, into recipe parts of bounded size.
#pragma once

#include <optional>
#include <unordered_map>

#include "engine/format/recipe.h"

namespace drs {

// Where one chunk of the stream is.
struct ChunkPlace {
  BlockId block;
  std::uint32_t chunk = 0;
  std::uint32_t offset_bytes = 0;  // in the block's plaintext
};

class RecipeBuilder {
 public:
  // Appends a chunk of `bytes`. Returns a finished part when this one would have outgrown its bound.
  std::optional<RecipePart> add(const ChunkPlace& place, std::uint32_t bytes);
  // The last part, if it holds anything.
  std::optional<RecipePart> finish();

 private:
  // Half a block: room for the worst rounding of the estimate below, and quick to read for a range restore.
  static constexpr std::size_t kPartBytesMax = 512 * kKiB;
  RecipePart take();
  RecipePart part_;
  std::unordered_map<BlockId, std::uint32_t, BlockIdHash> numbers_;
  std::size_t encoded_bytes_ = 0;  // an upper bound
};

}  // namespace drs
