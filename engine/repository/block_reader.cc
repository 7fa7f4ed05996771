#include "engine/repository/block_reader.h"

#include "engine/format/names.h"
#include "engine/format/seal.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"

namespace drs {

bool is_unreadable(const Error& error) {
  return is_absent(error) || is_medium_fault(error);
}

std::string describe(const BlockLocation& location) {
  return "block " + to_string(location.record.id) + " in " + pack_name(location.pack) + " at offset " +
         std::to_string(location.record.offset_bytes);
}

Result<BlockReader> BlockReader::make(Repository& repository, ObjectStore& store) {
  DRS_ASSIGN_OR_RETURN(Decompressor decompressor, Decompressor::make());
  return BlockReader(repository, store, std::move(decompressor));
}

Result<Bytes> BlockReader::read(const BlockLocation& location) {
  const BlockRecord& record = location.record;
  sealed_.resize(record.sealed_bytes);
  scratch_.resize(record.sealed_bytes);
  const ObjectOpener opener =
      ObjectOpener::for_salt(repository_->keys(), ObjectKind::kPack, location.salt, repository_->crypto());
  Bytes plain(record.raw_bytes);
  auto read = read_again_if_damaged([&]() -> Result<void> {
    DRS_RETURN_IF_ERROR(get_range(*store_, pack_name(location.pack), record.offset_bytes, sealed_));
    return decode_block(opener, record, sealed_, decompressor_, scratch_, plain);
  });
  if (!read.ok()) return std::move(read).error().with_context(describe(location));
  return plain;
}

Result<RecipePart> BlockReader::read_recipe_part(BlockIndex& index, const RecipePartRef& ref) {
  DRS_ASSIGN_OR_RETURN(const BlockLocation location, index.locate(ref.block));
  auto part = read_recipe_part_at(location, ref);
  if (!part.ok() && is_unreadable(part.error())) index.set_unusable(location.pack);
  return part;
}

Result<RecipePart> BlockReader::read_recipe_part_at(const BlockLocation& location, const RecipePartRef& ref) {
  if (location.record.kind != BlockKind::kRecipe)
    return Error(ErrorCode::kCorrupt, describe(location) + " is not a recipe block, but a manifest names it as one");
  DRS_ASSIGN_OR_RETURN(const Bytes plain, read(location));
  auto part = decode_recipe_part(plain);
  if (!part.ok()) return std::move(part).error().with_context(describe(location));
  if (part->stream_offset_bytes != ref.stream_offset_bytes || part->stream_bytes != ref.stream_bytes)
    return Error(ErrorCode::kCorrupt,
                 describe(location) + " describes another part of the stream than its manifest states");
  return part;
}

}  // namespace drs
