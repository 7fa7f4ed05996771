// All copies of a block that one repository holds, by its index and by the tables of packs that no index object lists.
// Threads: one at a time. All calls block.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/repository/block_index.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/pack_table.h"
#include "engine/repository/repository.h"

namespace drs {

// A copy, ready to be read by a BlockMover.
struct OpenedCopy {
  Digest pack;
  PackTable table;  // without blocks
  TableBlock block;
  ObjectStore* store = nullptr;
  [[nodiscard]] StoredBlock stored() const { return {pack, table, block, store}; }
};

class BlockCopies {
 public:
  // Lists packs, and then index objects. A record of condemned packs that cannot be read is passed over. `repository`
  // must outlive the object. Errors: kUnavailable (index objects vanish in every list), the store's.
  static Result<std::unique_ptr<BlockCopies>> load(Repository& repository, std::size_t index_cache_bytes);

  [[nodiscard]] const PackCatalog& packs() const { return packs_; }
  [[nodiscard]] BlockIndex& index() { return *index_; }

  // The copies of a block in packs that are listed with the size that the index states; usable ones first. Whether they
  // can be read is not known. Errors: the store's.
  Result<std::vector<BlockLocation>> find(const BlockId& id);
  // Errors: kCorrupt (neither the index nor the pack's table lists the block's chunks), the store's.
  Result<OpenedCopy> open(const BlockLocation& at);
  // From any copy that `reader`, of this repository, can read. Empty if there is none. Errors: the store's.
  Result<std::optional<RecipePart>> read_recipe_part(BlockReader& reader, const RecipePartRef& ref);
  // What the index knows of a block, whether or not its pack exists: its length, XXH3 and chunks; offset, codec and
  // sealed length are those of its former place. Empty if nothing readable names it. Errors: the store's.
  Result<std::optional<TableBlock>> entry_of(const BlockId& id);

 private:
  explicit BlockCopies(Repository& repository) : repository_(repository) {}
  Result<std::vector<BlockClaim>> claims_of(const BlockId& id);
  Repository& repository_;
  PackCatalog packs_;
  std::unique_ptr<BlockIndex> index_;  // refers to packs_
};

}  // namespace drs
