#include "engine/pipeline/push/previous_recipe.h"

#include <algorithm>

namespace drs {

Result<PreviousRecipe> PreviousRecipe::load(const ManifestStream& stream, BlockIndex& index, BlockReader& reader,
                                            std::size_t blocks_max, std::vector<std::string>& warnings) {
  struct Usage {
    std::uint64_t used_bytes = 0;
    std::uint32_t raw_bytes = 0;
  };
  PreviousRecipe previous;
  previous.parts_ = stream.parts;
  std::unordered_map<std::uint64_t, Usage> usage;
  std::vector<std::uint64_t> keys;
  for (const RecipePartRef& ref : stream.parts) {
    auto part = reader.read_recipe_part(index, ref);
    if (!part.ok()) {
      warnings.push_back("the last snapshot " + stream.session.hex() + " is damaged (" + part.error().message + "); " +
                         (is_unreadable(part.error())
                              ? "nothing in that pack is used: this push stores again the chunks it needs from it"
                              : "this push stores again the chunks it finds in no other place") +
                         "; run `drstream verify`");
      continue;
    }
    constexpr std::uint64_t kNoBlock = UINT64_MAX;
    keys.assign(part->blocks.size(), kNoBlock);
    for (std::size_t i = 0; i < part->blocks.size(); ++i) {
      const auto location = index.locate(part->blocks[i]);
      if (!location.ok()) continue;  // lost: `find` will not return its chunks, so the push stores them again
      const std::uint64_t block = key_of(location->place);
      if (usage.size() >= blocks_max && !usage.contains(block)) continue;
      usage[block].raw_bytes = location->record.raw_bytes;
      keys[i] = block;
    }
    for (const Run& run : part->runs)
      if (keys[run.block] != kNoBlock) usage[keys[run.block]].used_bytes += run.bytes;
  }
  previous.sparse_.reserve(usage.size());
  for (const auto& [block, use] : usage)
    previous.sparse_.emplace(block, use.used_bytes * 100 < std::uint64_t{use.raw_bytes} * kSparsePercent);
  return previous;
}

PreviousRecipe::Use PreviousRecipe::use(BlockClaim place) const {
  const auto found = sparse_.find(key_of(place));
  if (found == sparse_.end()) return Use::kUnknown;
  return found->second ? Use::kSparse : Use::kDense;
}

void PreviousRecipe::visit_range(std::uint64_t from_bytes, std::uint64_t to_bytes, BlockIndex& index,
                                 BlockReader& reader, const std::function<void(BlockClaim)>& visit) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const RecipePartRef& ref = parts_[i];
    if (ref.stream_offset_bytes + ref.stream_bytes <= from_bytes) continue;
    if (ref.stream_offset_bytes >= to_bytes) return;
    if (loaded_part_ != i) {
      auto part = reader.read_recipe_part(index, ref);
      if (!part.ok()) return;
      part_ = *std::move(part);
      loaded_part_ = i;
    }
    std::uint64_t at = ref.stream_offset_bytes;
    std::uint32_t last_block = UINT32_MAX;
    for (const Run& run : part_.runs) {
      if (at >= to_bytes) return;
      at += run.bytes;
      if (at <= from_bytes || run.block == last_block) continue;
      last_block = run.block;
      if (const auto location = index.locate(part_.blocks[run.block]); location.ok()) visit(location->place);
    }
  }
}

}  // namespace drs
