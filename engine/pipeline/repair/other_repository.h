// The repository that heals another one: a replica, which has the same blocks, or one with other keys that has the same
// streams. Nothing is written to it. Threads: one at a time. All calls block.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/format/recipe.h"
#include "engine/pipeline/repair/block_copies.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/snapshots.h"
#include "engine/repository/stream_range.h"

namespace drs {

class OtherRepository {
 public:
  // `repository` is to heal `damaged`, and must outlive the object. Errors: kUsage (the two have one id and different
  // keys: one of them is forged), the store's.
  static Result<std::unique_ptr<OtherRepository>> open(Repository& repository, const Repository& damaged,
                                                       std::size_t index_cache_bytes);

  [[nodiscard]] bool is_replica() const { return kind_ == Kind::kReplica; }

  // Of a replica; another one has none of these. What it does not have, or cannot read, is an empty result. Errors: the
  // store's.
  //
  // A whole pack, whose bytes have the SHA-256 that is its name.
  Result<std::optional<Bytes>> pack(const Digest& name, std::uint64_t bytes);
  // The copies of a block, opened; whether they can be read is not known.
  Result<std::vector<OpenedCopy>> copies_of(const BlockId& id);
  Result<std::optional<RecipePart>> recipe_part(const RecipePartRef& ref);
  // What its index knows of a block.
  Result<std::optional<TableBlock>> entry_of(const BlockId& id);

  // Bytes of a stream that it has as well: one of a live snapshot, with the same length and SHA-256; without SHA-256,
  // with the same name and XXH3. The caller bounds `bytes`, and compares them with what they should be. Empty if there
  // is no such stream, or if it cannot be read there. Errors: the store's.
  Result<std::optional<Bytes>> read(const std::string& stream_name, const ManifestStream& stream,
                                    std::uint64_t offset_bytes, std::uint64_t bytes);

 private:
  enum class Kind : std::uint8_t { kReplica, kSameStreams };
  OtherRepository(Repository& repository, Kind kind) : repository_(repository), kind_(kind) {}
  using Streams = std::vector<ManifestStream>;
  Result<Streams> streams_like(const std::string& stream_name, const ManifestStream& stream);

  Repository& repository_;
  const Kind kind_;
  std::unique_ptr<BlockCopies> copies_;
  std::optional<BlockReader> reader_;
  std::optional<StreamRange> ranges_;
  SnapshotCatalog snapshots_;
  // The last stream that was looked for, and those like it.
  std::optional<std::pair<std::string, ManifestStream>> wanted_;
  Streams like_;
};

}  // namespace drs
