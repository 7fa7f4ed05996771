// Reads a snapshot back block by block, without the code of pull.
#pragma once

#include <unordered_map>

#include "engine/format/manifest.h"
#include "engine/repository/block_index.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/repository.h"

namespace drs::test {

inline Result<Bytes> read_back(Repository& repository, const Manifest& manifest) {
  DRS_ASSIGN_OR_RETURN(const PackCatalog packs, PackCatalog::load(repository));
  DRS_ASSIGN_OR_RETURN(const auto index, BlockIndex::load(repository, repository.store(), packs, {}));
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, repository.store()));
  Bytes out;
  std::unordered_map<BlockId, Bytes, BlockIdHash> blocks;
  for (const RecipePartRef& ref : manifest.streams.front().parts) {
    DRS_ASSIGN_OR_RETURN(const RecipePart part, reader.read_recipe_part(*index, ref));
    for (const Run& run : part.runs) {
      const BlockId& id = part.blocks[run.block];
      if (!blocks.contains(id)) {
        DRS_ASSIGN_OR_RETURN(const BlockLocation location, index->locate(id));
        DRS_ASSIGN_OR_RETURN(blocks[id], reader.read(location));
      }
      const auto from = blocks[id].begin() + run.offset_bytes;
      out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(run.bytes));
    }
  }
  return out;
}

}  // namespace drs::test
