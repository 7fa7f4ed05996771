// Reads short ranges of streams, blocking: for what is read here and there, such as directories and single records. The
// last recipe part and the last block are kept. Longer ranges: engine/pipeline/pull/range_restore.h. Threads: one
// thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/repository/block_index.h"
#include "engine/repository/block_reader.h"

namespace drs {

class StreamRange {
 public:
  // Both outlive this object.
  StreamRange(BlockIndex& index, BlockReader& reader)
      : index_(index), reader_(reader), last_part_(std::make_shared<std::shared_ptr<const Part>>()) {}
  // Another one for the same streams: the two keep one recipe part together, but each its own block.
  [[nodiscard]] StreamRange beside() const { return {index_, reader_, last_part_}; }

  // Returns `bytes` bytes of `stream` from `offset_bytes`, checked. The caller bounds `bytes`. Errors: kCorrupt (also a
  // range outside the stream, since it was read from stored data), kTruncated and kNotFound (damage; the text names the
  // block), the store's.
  Result<Bytes> read(const ManifestStream& stream, std::uint64_t offset_bytes, std::uint64_t bytes);
  // Calls `visit` with the recipe block of a part, then with each block that the part uses, and the range of the stream
  // for which it is needed. Errors: as read; those of `visit`.
  using VisitBlock =
      std::function<Result<void>(const BlockId& block, std::uint64_t begin_bytes, std::uint64_t end_bytes)>;
  Result<void> visit_blocks(const RecipePartRef& part, const VisitBlock& visit);

  // Blocks read so far, recipe blocks included.
  [[nodiscard]] std::uint64_t block_reads() const { return block_reads_; }

 private:
  struct Part {
    RecipePartRef ref;
    RecipePart recipe;
    std::vector<std::uint64_t> run_ends;  // offsets in the stream
  };
  using LastPart = std::shared_ptr<std::shared_ptr<const Part>>;

  StreamRange(BlockIndex& index, BlockReader& reader, LastPart last_part)
      : index_(index), reader_(reader), last_part_(std::move(last_part)) {}
  Result<std::shared_ptr<const Part>> load_part(const RecipePartRef& ref);
  Result<void> load_block(const BlockId& id);
  Result<Bytes> read_block(const BlockId& id);

  BlockIndex& index_;
  BlockReader& reader_;
  LastPart last_part_;               // shared with those beside it
  std::optional<BlockId> block_id_;  // of block_
  Bytes block_;
  std::uint64_t block_reads_ = 0;
};

}  // namespace drs
