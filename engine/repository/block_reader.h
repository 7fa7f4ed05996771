// Reads single blocks, blocking: recipe parts, and other reads that need no read-ahead. Threads: one thread at a time.
#pragma once

#include "codecs/compression.h"
#include "engine/format/manifest.h"
#include "engine/format/recipe.h"
#include "engine/repository/block_index.h"
#include "engine/repository/repository.h"

namespace drs {

class BlockReader {
 public:
  static Result<BlockReader> make(Repository& repository, ObjectStore& store);
  // Returns the block's plaintext, checked. Errors: kCorrupt and kTruncated, whose texts name pack, block and offset;
  // kNotFound; the store's.
  Result<Bytes> read(const BlockLocation& location);
  // Locates, reads and decodes a recipe part of a manifest, and compares its stream range with `ref`. If its pack
  // is_unreadable, marks the pack as unusable in `index`. Errors: as `read` and BlockIndex::locate.
  Result<RecipePart> read_recipe_part(BlockIndex& index, const RecipePartRef& ref);
  // The same for a part that is located already.
  Result<RecipePart> read_recipe_part_at(const BlockLocation& location, const RecipePartRef& ref);

 private:
  BlockReader(Repository& repository, ObjectStore& store, Decompressor decompressor)
      : repository_(&repository), store_(&store), decompressor_(std::move(decompressor)) {}
  Repository* repository_;
  ObjectStore* store_;
  Decompressor decompressor_;
  Bytes sealed_, scratch_;
};

// Whether the error concerns the whole pack, not a single block: the pack is missing, or its medium cannot return it.
bool is_unreadable(const Error& error);

// "block <id> in packs/... at offset N", for messages.
std::string describe(const BlockLocation& location);

}  // namespace drs
