#include "engine/pipeline/push/recipe_builder.h"

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
    encoded_bytes_ += recipe_run_bytes(last);
  }
  std::optional<RecipePart> finished;
  if (is_full()) finished = take();
  const auto [number, added] = numbers_.try_emplace(place.block, static_cast<std::uint32_t>(part_.blocks.size()));
  if (added) {
    part_.blocks.push_back(place.block);
    const std::size_t sessions_before = sessions_.count();
    const std::uint32_t session = sessions_.number_of(place.block.session);
    encoded_bytes_ += dictionary_entry_bytes(session, place.block.counter);
    encoded_bytes_ += (sessions_.count() - sessions_before) * Uuid::kBytes;
  }
  part_.runs.push_back({number->second, place.chunk, 1, place.offset_bytes, bytes});
  part_.stream_bytes += bytes;
  return finished;
}

// Whether one more run of a new block may not fit.
bool RecipeBuilder::is_full() const {
  return part_.runs.size() >= limits_.part_runs_max ||
         encoded_bytes_ + kRunBytesMax + kDictionaryEntryBytesMax > part_bytes_max();
}

std::optional<RecipePart> RecipeBuilder::finish() {
  if (part_.runs.empty()) return std::nullopt;
  return take();
}

RecipePart RecipeBuilder::take() {
  RecipePart next;
  next.stream_offset_bytes = part_.stream_offset_bytes + part_.stream_bytes;
  numbers_.clear();
  sessions_ = {};
  encoded_bytes_ = kRecipePartHeaderBytes;
  ++parts_finished_;
  return std::exchange(part_, std::move(next));
}

}  // namespace drs
