// What the stream's last snapshot used: for each of its blocks the share of it that is still referenced, and the order
// in which they come. Push deduplicates where this says, and writes the live chunks of sparse blocks anew
// (docs/DESIGN.md, "Fragmentation"). Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/repository/block_index.h"
#include "engine/repository/block_reader.h"

namespace drs {

// A block is sparse when the last snapshot used less than this share of it.
inline constexpr unsigned kSparsePercent = 30;

class PreviousRecipe {
 public:
  // No last snapshot: nothing is known of any block.
  PreviousRecipe() = default;
  // Reads the recipe of `stream`, the last snapshot's, part by part. Blocks beyond `blocks_max` are not remembered. A
  // part that cannot be read is told in `warnings` and passed over: dedup loses, the snapshot does not.
  static Result<PreviousRecipe> load(const ManifestStream& stream, BlockIndex& index, BlockReader& reader,
                                     std::size_t blocks_max, std::vector<std::string>& warnings);

  enum class Use : std::uint8_t { kUnknown, kSparse, kDense };
  [[nodiscard]] Use use(BlockPlace place) const;

  // The blocks that the last snapshot needs in its bytes [from, to), in order; reads recipe parts as it goes. For
  // prefetching: errors end the list.
  void visit_range(std::uint64_t from_bytes, std::uint64_t to_bytes, BlockIndex& index, BlockReader& reader,
                   const std::function<void(BlockPlace)>& visit);

 private:
  static std::uint64_t key(BlockPlace place) { return std::uint64_t{place.unit} << 32 | place.block; }
  std::unordered_map<std::uint64_t, bool> sparse_;
  std::vector<RecipePartRef> parts_;
  std::size_t loaded_part_ = SIZE_MAX;
  RecipePart part_;
};

}  // namespace drs
