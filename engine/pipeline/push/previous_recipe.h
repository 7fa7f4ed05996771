// The blocks that the stream's last snapshot used: their order, and the share of each that it references. A push
// prefers densely used blocks, and writes the live chunks of sparse ones anew (docs/DESIGN.md, "Fragmentation").
// Threads: one thread at a time.
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
  // For a stream without a snapshot: `use` returns kUnknown for every block.
  PreviousRecipe() = default;
  // Reads the recipe of `stream`, which belongs to the last snapshot, part by part. Remembers at most `blocks_max`
  // blocks. Skips an unreadable part with a warning: this costs deduplication, not the new snapshot.
  static Result<PreviousRecipe> load(const ManifestStream& stream, BlockIndex& index, BlockReader& reader,
                                     std::size_t blocks_max, std::vector<std::string>& warnings);

  enum class Use : std::uint8_t { kUnknown, kSparse, kDense };
  [[nodiscard]] Use use(BlockClaim place) const;

  // Visits the blocks that the last snapshot needs for its bytes [from, to), in order. Reads recipe parts as needed.
  // For prefetching: an error ends the visit.
  void visit_range(std::uint64_t from_bytes, std::uint64_t to_bytes, BlockIndex& index, BlockReader& reader,
                   const std::function<void(BlockClaim)>& visit);

 private:
  std::unordered_map<std::uint64_t, bool> sparse_;
  std::vector<RecipePartRef> parts_;
  std::size_t loaded_part_ = SIZE_MAX;
  RecipePart part_;
};

}  // namespace drs
