#include "engine/pipeline/repair/snapshot_loss.h"

#include <algorithm>
#include <optional>

#include "io/base/error_class.h"

namespace drs {

Result<SnapshotLosses> SnapshotLosses::make(Repository& repository, Survey& survey, Lost lost, FindRecipe find_recipe) {
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, repository.store()));
  return SnapshotLosses(repository, survey, std::move(lost), std::move(find_recipe), std::move(reader));
}

Result<SnapshotLoss> SnapshotLosses::of(const Snapshot& snapshot) {
  SnapshotLoss loss;
  const auto manifest = read_manifest(repository_, repository_.store(), snapshot);
  if (!manifest.ok() && !is_object_fault(manifest.error())) return manifest.error();
  if (!manifest.ok()) {  // since the survey
    loss.bytes = snapshot.manifest.bytes;
    loss.ranges = 1;
    return loss;
  }
  for (const ManifestStream& stream : manifest->streams) {
    std::optional<std::uint64_t> last_end;
    for (const RecipePartRef& part : stream.parts) {
      DRS_ASSIGN_OR_RETURN(const std::vector<StreamSpan>* const lost, lost_of(part));
      if (lost_.contains(part.block)) ++loss.recipes;
      for (const StreamSpan& span : *lost) {
        if (loss.ranges == 0) loss.first_offset_bytes = span.begin_bytes;
        if (last_end != span.begin_bytes) ++loss.ranges;
        loss.bytes += span.end_bytes - span.begin_bytes;
        last_end = span.end_bytes;
      }
    }
  }
  return loss;
}

// Snapshots share parts: most are read once.
Result<const std::vector<StreamSpan>*> SnapshotLosses::lost_of(const RecipePartRef& part) {
  if (!seen_.add(part.block)) {
    const auto found = with_loss_.find(part.block);
    return found == with_loss_.end() ? &none_ : &found->second;
  }
  DRS_ASSIGN_OR_RETURN(std::vector<StreamSpan> lost, look_for_lost(part));
  if (lost.empty()) return &none_;
  return &with_loss_.emplace(part.block, std::move(lost)).first->second;
}

Result<std::vector<StreamSpan>> SnapshotLosses::look_for_lost(const RecipePartRef& part) {
  const std::vector<StreamSpan> all = {{part.stream_offset_bytes, part.stream_offset_bytes + part.stream_bytes}};
  if (lost_.contains(part.block)) return all;
  DRS_ASSIGN_OR_RETURN(std::optional<RecipePart> recipe, survey_.copies->read_recipe_part(reader_, part));
  if (!recipe) {
    DRS_ASSIGN_OR_RETURN(recipe, find_recipe_(part));
  }
  if (!recipe) return all;
  std::vector<StreamSpan> lost;
  std::uint64_t offset_bytes = recipe->stream_offset_bytes;
  for (const Run& run : recipe->runs) {
    const BlockId& block = recipe->blocks[run.block];
    if (lost_.contains(block)) add_lost(block, run, offset_bytes, lost);
    offset_bytes += run.bytes;
  }
  return lost;
}

void SnapshotLosses::add_lost(const BlockId& block, const Run& run, std::uint64_t offset_bytes,
                              std::vector<StreamSpan>& lost) const {
  const auto spans = lost_.spans.find(block);
  if (spans == lost_.spans.end()) {
    lost.push_back({offset_bytes, offset_bytes + run.bytes});
    return;
  }
  for (const BlockSpan& span : spans->second) {
    const std::uint64_t begin = std::max<std::uint64_t>(span.offset_bytes, run.offset_bytes);
    const std::uint64_t end = std::min<std::uint64_t>(std::uint64_t{span.offset_bytes} + span.bytes,
                                                      std::uint64_t{run.offset_bytes} + run.bytes);
    if (begin < end)
      lost.push_back({offset_bytes + (begin - run.offset_bytes), offset_bytes + (end - run.offset_bytes)});
  }
}

}  // namespace drs
