#include "engine/pipeline/repair/block_copies.h"

#include <algorithm>
#include <utility>

#include "engine/format/names.h"
#include "io/base/error_class.h"

namespace drs {

Result<std::unique_ptr<BlockCopies>> BlockCopies::load(Repository& repository, std::size_t index_cache_bytes) {
  std::unique_ptr<BlockCopies> copies(new BlockCopies(repository));
  DRS_ASSIGN_OR_RETURN(copies->packs_, PackCatalog::load(repository, PackCatalog::UnreadableCondemned::kPassOver));
  DRS_ASSIGN_OR_RETURN(copies->index_,
                       BlockIndex::load(repository, repository.store(), copies->packs_, {index_cache_bytes}));
  return copies;
}

Result<std::vector<BlockClaim>> BlockCopies::claims_of(const BlockId& id) {
  std::vector<BlockClaim> claims;
  for (const std::uint32_t unit : index_->units_of_session(id.session)) {
    const auto entries = index_->directory(unit);
    if (!entries.ok() && !is_object_fault(entries.error())) return entries.error();
    if (!entries.ok()) continue;
    const auto block_of = [](const DirectoryEntry& entry) { return entry.record.id; };
    for (auto at = std::ranges::lower_bound(**entries, id, {}, block_of); at != (*entries)->end(); ++at) {
      if (at->record.id != id) break;
      claims.push_back({unit, static_cast<std::uint32_t>(at - (*entries)->begin())});
    }
  }
  return claims;
}

Result<std::vector<BlockLocation>> BlockCopies::find(const BlockId& id) {
  DRS_ASSIGN_OR_RETURN(const std::vector<BlockClaim> claims, claims_of(id));
  std::vector<BlockLocation> found;
  for (const BlockClaim& claim : claims) {
    const auto at = index_->location(claim);
    if (!at.ok() && !is_object_fault(at.error())) return at.error();
    const auto is_same = [&](const BlockLocation& other) {
      return other.pack == at->pack && other.record.offset_bytes == at->record.offset_bytes;
    };
    if (at.ok() && std::ranges::none_of(found, is_same)) found.push_back(*at);
  }
  std::ranges::stable_partition(found, [](const BlockLocation& at) { return at.usable; });
  return found;
}

Result<OpenedCopy> BlockCopies::open(const BlockLocation& at) {
  ObjectStore& store = repository_.store();
  if (at.record.kind == BlockKind::kRecipe || at.record.chunk_count == 0) {
    return OpenedCopy{
        at.pack,
        {ObjectOpener::for_salt(repository_.keys(), ObjectKind::kPack, at.salt, repository_.crypto()), at.salt, {}},
        {at.record, {}},
        &store};
  }
  const auto chunks = index_->chunks(at.place);
  if (chunks.ok())
    return OpenedCopy{
        at.pack,
        {ObjectOpener::for_salt(repository_.keys(), ObjectKind::kPack, at.salt, repository_.crypto()), at.salt, {}},
        {at.record, **chunks},
        &store};
  if (!is_object_fault(chunks.error())) return chunks.error();
  DRS_ASSIGN_OR_RETURN(PackTable table, read_pack_table(repository_, store, at.pack, at.pack_bytes));
  const auto block =
      std::ranges::find(table.blocks, at.record.id, [](const TableBlock& entry) { return entry.record.id; });
  if (block == table.blocks.end()) return chunks.error();
  TableBlock entry = std::move(*block);
  table.blocks.clear();
  return OpenedCopy{at.pack, std::move(table), std::move(entry), &store};
}

Result<std::optional<RecipePart>> BlockCopies::read_recipe_part(BlockReader& reader, const RecipePartRef& ref) {
  DRS_ASSIGN_OR_RETURN(const std::vector<BlockLocation> found, find(ref.block));
  for (const BlockLocation& at : found) {
    auto part = reader.read_recipe_part_at(at, ref);
    if (part.ok()) return std::optional(*std::move(part));
    if (!is_object_fault(part.error())) return part.error();
  }
  return std::optional<RecipePart>();
}

Result<std::optional<TableBlock>> BlockCopies::entry_of(const BlockId& id) {
  DRS_ASSIGN_OR_RETURN(const std::vector<BlockClaim> claims, claims_of(id));
  for (const BlockClaim& claim : claims) {
    const auto entries = index_->directory(claim.unit);
    const auto chunks = index_->chunks(claim);
    for (const Error* const error :
         {entries.ok() ? nullptr : &entries.error(), chunks.ok() ? nullptr : &chunks.error()})
      if (error != nullptr && !is_object_fault(*error)) return *error;
    if (entries.ok() && chunks.ok()) return std::optional(TableBlock{(**entries)[claim.block].record, **chunks});
  }
  return std::optional<TableBlock>();
}

}  // namespace drs
