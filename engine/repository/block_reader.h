// Reads single blocks, blocking: recipe parts, and whatever needs no read-ahead.
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
  // The block's plaintext, checked. Errors: kCorrupt and kTruncated naming pack, block and offset; kNotFound; the
  // store's.
  Result<Bytes> read(const BlockLocation& location);
  // A recipe part of a manifest: located, read, decoded, and its stream range compared with `ref`. Where its pack
  // is_unreadable, `index` is told.
  Result<RecipePart> read_recipe_part(BlockIndex& index, const RecipePartRef& ref);

 private:
  BlockReader(Repository& repository, ObjectStore& store, Decompressor decompressor)
      : repository_(&repository), store_(&store), decompressor_(std::move(decompressor)) {}
  Repository* repository_;
  ObjectStore* store_;
  Decompressor decompressor_;
  Bytes sealed_, scratch_;
};

// The pack is not there, or its store cannot give it back: nothing is said of single blocks.
bool is_unreadable(const Error& error);

// "block <id> in pack <hex> at offset N": for messages.
std::string describe(const BlockLocation& location);

}  // namespace drs
