#include "engine/pipeline/push/recipe_writer.h"

#include <string>

namespace drs {

Result<void> RecipeWriter::add(const ChunkPlace& place, std::uint32_t bytes) {
  if (const auto part = builder_.add(place, bytes)) return emit(*part);
  return {};
}

Result<void> RecipeWriter::finish() {
  if (const auto part = builder_.finish()) return emit(*part);
  return {};
}

Result<void> RecipeWriter::emit(const RecipePart& part) {
  if (parts_.size() >= limits_.parts_max)
    return Error(ErrorCode::kUsage,
                 "the recipe of this stream has more than " + std::to_string(limits_.parts_max) +
                     " parts, the most that a manifest can name: the stream is too long for the number of blocks over "
                     "which its chunks are scattered. Nothing was committed. Split it into several streams, or push it "
                     "into a new repository");
  const BlockId id = ids_.next();
  BlockJob job;
  job.counter = id.counter;
  job.kind = BlockKind::kRecipe;
  job.owned = encode_recipe_part(part);
  job.plain = job.owned;
  parts_.push_back({id, part.stream_offset_bytes, part.stream_bytes});
  emit_(std::move(job));
  return {};
}

}  // namespace drs
