#include "engine/pipeline/recipe_builder.h"

#include <utility>

namespace drs {

std::optional<RecipePart> RecipeBuilder::add(const ChunkPlace& place, std::uint32_t bytes) {
  if (!part_.runs.empty()) {
    Run& last = part_.runs.back();
    if (part_.blocks[last.block] == place.block && last.chunk_first + last.chunk_count == place.chunk) {
      ++last.chunk_count;
      last.bytes += bytes;
      part_.stream_bytes += bytes;
      return std::nullopt;
    }
  }
  std::optional<RecipePart> finished;
  if (encoded_bytes_ + kRunBytesMax + kDictionaryEntryBytesMax > kPartBytesMax) finished = take();
  const auto [number, added] = numbers_.try_emplace(place.block, static_cast<std::uint32_t>(part_.blocks.size()));
  if (added) {
    part_.blocks.push_back(place.block);
    encoded_bytes_ += kDictionaryEntryBytesMax;
  }
  part_.runs.push_back({number->second, place.chunk, 1, place.offset_bytes, bytes});
  part_.stream_bytes += bytes;
  encoded_bytes_ += kRunBytesMax;
  return finished;
}

std::optional<RecipePart> RecipeBuilder::finish() {
  if (part_.runs.empty()) return std::nullopt;
  return take();
}

RecipePart RecipeBuilder::take() {
  RecipePart next;
  next.stream_offset_bytes = part_.stream_offset_bytes + part_.stream_bytes;
  numbers_.clear();
  encoded_bytes_ = 0;
  return std::exchange(part_, std::move(next));
}

}  // namespace drs
