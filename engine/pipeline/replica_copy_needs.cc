// ReplicaCopy: what a snapshot needs, by the source's index as it is now.
#include "engine/pipeline/replica_copy.h"
#include "io/error_class.h"

namespace drs {

Result<ReplicaCopy::Needs> ReplicaCopy::needs_of(const Snapshot& snapshot) {
  DRS_ASSIGN_OR_RETURN(const Manifest manifest, read_manifest(source_, source_.store(), snapshot));
  for (;;) {
    const std::uint64_t lists = live_->lists_made();
    auto needs = needs_of(manifest);
    // Numbers of units count as long as the lists do.
    if (!needs.ok() || live_->lists_made() == lists) return needs;
  }
}

Result<ReplicaCopy::Needs> ReplicaCopy::needs_of(const Manifest& manifest) {
  Needs needs;
  const auto note = [&](const BlockLocation& location) {
    needs.packs.emplace(location.pack, location.pack_bytes);
    needs.units.insert(location.place.unit);
    if (const PackMarks* const marks = target_packs_.marks_of(location.pack);
        marks != nullptr && marks->covers(location.record.offset_bytes, location.record.sealed_bytes))
      needs.marked.insert(location.pack);
  };
  for (const ManifestStream& stream : manifest.streams) {
    for (const RecipePartRef& ref : stream.parts) {
      if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "the copy was cancelled");
      DRS_ASSIGN_OR_RETURN(const BlockLocation recipe, live_->locate(ref.block));
      note(recipe);
      DRS_ASSIGN_OR_RETURN(const RecipePart part, read_recipe_part(ref));
      for (const BlockId& id : part.blocks) {
        DRS_ASSIGN_OR_RETURN(const BlockLocation location, live_->locate(id));
        note(location);
      }
    }
  }
  return needs;
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
