// ReplicaCopy: finds what a snapshot needs, block by block, by the current indexes of both repositories. A prune of
// either moves blocks into packs that the other does not know.
#include <algorithm>
#include <map>

#include "engine/format/names.h"
#include "engine/pipeline/copy/replica_copy.h"
#include "engine/repository/pack_table.h"
#include "io/base/error_class.h"

namespace drs {

Result<ReplicaCopy::Needs> ReplicaCopy::needs_of(const Snapshot& snapshot) {
  DRS_ASSIGN_OR_RETURN(const Manifest manifest, read_manifest(source_, source_.store(), snapshot));
  for (;;) {
    const std::uint64_t lists = live_->lists_made();
    auto needs = needs_of(manifest);
    // Unit numbers are valid only while the lists are the same.
    if (!needs.ok() || live_->lists_made() == lists) return needs;
  }
}

Result<ReplicaCopy::Needs> ReplicaCopy::needs_of(const Manifest& manifest) {
  Needs needs;
  for (const ManifestStream& stream : manifest.streams) {
    for (const RecipePartRef& ref : stream.parts) {
      if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "the copy was cancelled");
      DRS_ASSIGN_OR_RETURN(const BlockLocation recipe, live_->locate(ref.block));
      DRS_RETURN_IF_ERROR(note(needs, recipe));
      DRS_ASSIGN_OR_RETURN(const RecipePart part, read_recipe_part(ref));
      for (const BlockId& id : part.blocks) {
        DRS_ASSIGN_OR_RETURN(const BlockLocation location, live_->locate(id));
        DRS_RETURN_IF_ERROR(note(needs, location));
      }
    }
  }
  return needs;
}

Result<void> ReplicaCopy::note(Needs& needs, const BlockLocation& location) {
  const auto take_pack = [&] {
    needs.packs.emplace(location.pack, location.pack_bytes);
    needs.units.insert(location.place.unit);
  };
  const PackInfo* const same = target_packs_.find(location.pack);
  const PackMarks* const marks = target_packs_.marks_of(location.pack);
  const bool marked = marks != nullptr && marks->covers(location.record.offset_bytes, location.record.sealed_bytes);
  const bool condemned = condemned_.contains(location.pack);
  if (same != nullptr && same->bytes == location.pack_bytes && !condemned && !marked) {
    take_pack();
    return {};
  }
  DRS_ASSIGN_OR_RETURN(const auto there, pack_there(location.record.id));
  if (there) {
    needs.there.emplace(there->name, there->bytes);
  } else if (condemned) {
    needs.moves.push_back(location);
  } else {
    take_pack();
    if (marked) needs.marked.insert(location.pack);
  }
  return {};
}

Result<std::optional<IndexedPack>> ReplicaCopy::pack_there(const BlockId& block) {
  if (const auto moved = moved_.find(block); moved != moved_.end()) return std::optional(moved->second);
  if (target_blocks_ == nullptr) {
    DRS_ASSIGN_OR_RETURN(target_blocks_,
                         BlockIndex::load(target_, target_.store(), target_packs_, {index_cache_bytes_}));
  }
  const auto place = target_blocks_->locate(block);
  if (!place.ok() && !is_object_fault(place.error())) return place.error();
  if (!place.ok() || !place->usable) return std::optional<IndexedPack>();
  return std::optional(IndexedPack{place->pack, place->pack_bytes, place->salt});
}

Result<std::optional<ReplicaCopy::Obstacle>> ReplicaCopy::move_blocks(Needs& needs) {
  if (needs.moves.empty()) return std::optional<Obstacle>();
  std::map<Digest, std::vector<BlockLocation>> by_pack;
  for (const BlockLocation& location : needs.moves) by_pack[location.pack].push_back(location);
  DRS_ASSIGN_OR_RETURN(BlockMover mover, BlockMover::make(target_, target_.store(), {.from = &source_.store()}));
  std::vector<BlockId> moved;
  for (const auto& [pack, locations] : by_pack) {
    if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "the copy was cancelled");
    DRS_RETURN_IF_ERROR(session_->heartbeat_result());
    const auto done = [&]() -> Result<void> {
      DRS_ASSIGN_OR_RETURN(const PackTable table,
                           read_pack_table(source_, source_.store(), pack, locations.front().pack_bytes));
      for (const BlockLocation& location : locations) {
        const auto block = std::ranges::find(table.blocks, location.record.id,
                                             [](const TableBlock& entry) { return entry.record.id; });
        if (block == table.blocks.end())
          return Error(ErrorCode::kCorrupt, pack_name(pack) + " in the source does not hold block " +
                                                to_string(location.record.id) + ", although the index says so");
        DRS_RETURN_IF_ERROR(mover.move({pack, table, *block}));
        moved.push_back(location.record.id);
      }
      return {};
    }();
    if (!done.ok() && !is_object_fault(done.error())) return done.error();
    if (!done.ok()) return std::optional(Obstacle{done.error()});
  }
  DRS_ASSIGN_OR_RETURN(const std::vector<IndexedPack> packs, mover.flush());
  for (const IndexedPack& pack : packs) {
    target_packs_.add(pack.name, pack.bytes);
    secured_.insert(pack_name(pack.name));
    ++report_.packs;
    report_.stored_bytes += pack.bytes;
    DRS_ASSIGN_OR_RETURN(const PackTable table, read_pack_table(target_, target_.store(), pack.name, pack.bytes));
    for (const TableBlock& block : table.blocks) moved_.emplace(block.record.id, pack);
  }
  for (const BlockId& block : moved) needs.there.emplace(moved_.at(block).name, moved_.at(block).bytes);
  needs.moves.clear();
  return std::optional<Obstacle>();
}

Result<RecipePart> ReplicaCopy::read_recipe_part(const RecipePartRef& ref) {
  for (;;) {
    DRS_ASSIGN_OR_RETURN(const BlockLocation location, live_->locate(ref.block));
    auto part = reader_->read_recipe_part(live_->index(), ref);
    if (part.ok() || !is_object_fault(part.error())) return part;
    DRS_ASSIGN_OR_RETURN(const bool changed, live_->renew(location, part.error()));
    if (!changed) return part;
  }
}

}  // namespace drs
