#include "engine/pipeline/repair/block_healer.h"

#include <algorithm>
#include <utility>

#include "io/base/error_class.h"

namespace drs {
namespace {

bool counts(bool healed, std::uint64_t& count) {
  if (healed) ++count;
  return healed;
}

}  // namespace

Result<std::unique_ptr<BlockHealer>> BlockHealer::make(Repository& repository, Survey& survey, OtherRepository* other,
                                                       Options options) {
  DRS_ASSIGN_OR_RETURN(BlockMover mover, BlockMover::make(repository, repository.store(), {}));
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, repository.store()));
  return std::unique_ptr<BlockHealer>(
      new BlockHealer(repository, survey, other, options, std::move(mover), std::move(reader)));
}

Result<bool> BlockHealer::heal(const NeededBlock& block) {
  DRS_ASSIGN_OR_RETURN(const bool copied, copy_from_replica(block));
  if (counts(copied, healed_.copied)) return true;
  if (block.kind == BlockKind::kRecipe) return false;  // its bytes follow from nothing else
  DRS_ASSIGN_OR_RETURN(auto entry, survey_.copies->entry_of(block.id));
  if (!entry && other_ != nullptr) {
    DRS_ASSIGN_OR_RETURN(entry, other_->entry_of(block.id));
  }
  if (!entry || entry->chunks.empty()) return false;
  DRS_ASSIGN_OR_RETURN(const bool rebuilt, rebuild(block, *entry));
  if (counts(rebuilt, healed_.rebuilt)) return true;
  DRS_ASSIGN_OR_RETURN(const bool restored, restore(block, *entry));
  return counts(restored, healed_.restored);
}

Result<bool> BlockHealer::move(const NeededBlock& block) {
  const auto copy = survey_.copies->open(*block.readable);
  if (!copy.ok() && !is_object_fault(copy.error())) return copy.error();
  if (!copy.ok()) return false;
  DRS_ASSIGN_OR_RETURN(const bool moved, take(*copy));
  return counts(moved, healed_.moved);
}

Result<void> BlockHealer::flush() {
  DRS_ASSIGN_OR_RETURN(const std::vector<IndexedPack> stored, mover_.flush());
  return {};
}

Result<bool> BlockHealer::take(const OpenedCopy& copy) {
  const auto taken = options_.dry_run ? mover_.check(copy.stored()) : mover_.move(copy.stored());
  if (!taken.ok() && !is_object_fault(taken.error())) return taken.error();
  return taken.ok();
}

Result<bool> BlockHealer::take_rebuilt(const TableBlock& entry, ByteView plain) {
  const auto taken = options_.dry_run ? mover_.check_rebuilt(entry, plain) : mover_.add_rebuilt(entry, plain);
  if (!taken.ok() && !is_object_fault(taken.error())) return taken.error();
  return taken.ok();
}

Result<bool> BlockHealer::copy_from_replica(const NeededBlock& block) {
  if (other_ == nullptr) return false;
  DRS_ASSIGN_OR_RETURN(const std::vector<OpenedCopy> copies, other_->copies_of(block.id));
  for (const OpenedCopy& copy : copies) {
    if (copy.block.record.kind != block.kind) continue;
    DRS_ASSIGN_OR_RETURN(const bool taken, take(copy));
    if (taken) return true;
  }
  return false;
}

Result<bool> BlockHealer::rebuild(const NeededBlock& block, const TableBlock& entry) {
  if (recovery_ == nullptr) {
    DRS_ASSIGN_OR_RETURN(
        recovery_, BlockRecovery::open(repository_, repository_.store(), never_failed_, options_.index_cache_bytes));
  }
  plain_.assign(kBlockBytesMax, Byte{});
  const auto recovered = recovery_->recover(block.id, std::nullopt, {ErrorCode::kCorrupt, "damaged"}, plain_);
  if (!recovered.ok() && !is_object_fault(recovered.error())) return recovered.error();
  if (recovered.ok() && !recovered->block.lost.empty()) lost_spans_.insert_or_assign(block.id, recovered->block.lost);
  // Zeros stand for chunks of which there is no copy.
  if (!recovered.ok() || !recovered->block.lost.empty() || recovered->block.plain_bytes != entry.record.raw_bytes)
    return false;
  return take_rebuilt(entry, ByteView(plain_).first(recovered->block.plain_bytes));
}

Result<bool> BlockHealer::restore(const NeededBlock& block, const TableBlock& entry) {
  if (other_ == nullptr) return false;
  plain_.assign(entry.record.raw_bytes, Byte{});
  std::vector<bool> filled(entry.chunks.size());
  for (const PartUse& use : block.uses) {
    DRS_RETURN_IF_ERROR(fill(block, use, plain_, filled));
    // A chunk that no live snapshot needs may be missing. Without it the block cannot be proven.
    if (std::ranges::find(filled, false) == filled.end()) return take_rebuilt(entry, plain_);
  }
  return false;
}

// Copies what the part's runs take from the block. `filled` says which of its chunks are there.
Result<void> BlockHealer::fill(const NeededBlock& block, const PartUse& use, MutableByteView plain,
                               std::vector<bool>& filled) {
  DRS_ASSIGN_OR_RETURN(const auto stream, stream_of(use));
  DRS_ASSIGN_OR_RETURN(const auto part, recipe_part(use.part));
  if (!stream || !part) return {};
  std::uint64_t offset_bytes = part->stream_offset_bytes;
  for (const Run& run : part->runs) {
    const std::uint64_t begin_bytes = std::exchange(offset_bytes, offset_bytes + run.bytes);
    const std::uint64_t chunks_end = std::uint64_t{run.chunk_first} + run.chunk_count;
    if (part->blocks[run.block] != block.id || chunks_end > filled.size() ||
        run.offset_bytes + run.bytes > plain.size())
      continue;
    const auto first = filled.begin() + static_cast<std::ptrdiff_t>(run.chunk_first);
    const auto last = filled.begin() + static_cast<std::ptrdiff_t>(chunks_end);
    if (std::find(first, last, false) == last) continue;
    DRS_ASSIGN_OR_RETURN(const auto bytes,
                         other_->read(use.snapshot->manifest.stream, *stream, begin_bytes, run.bytes));
    if (!bytes) continue;
    std::copy(bytes->begin(), bytes->end(), plain.begin() + static_cast<std::ptrdiff_t>(run.offset_bytes));
    std::fill(first, last, true);
  }
  return {};
}

// Reads it wherever it still is.
Result<std::optional<RecipePart>> BlockHealer::recipe_part(const RecipePartRef& ref) {
  if (last_part_ && last_part_->first == ref) return std::optional(last_part_->second);
  DRS_ASSIGN_OR_RETURN(std::optional<RecipePart> found, survey_.copies->read_recipe_part(reader_, ref));
  if (!found && other_ != nullptr) {
    DRS_ASSIGN_OR_RETURN(found, other_->recipe_part(ref));
  }
  if (found) last_part_.emplace(ref, *found);
  return found;
}

Result<std::optional<ManifestStream>> BlockHealer::stream_of(const PartUse& use) {
  if (!last_manifest_ || last_manifest_->first != use.snapshot) {
    last_manifest_.reset();
    auto manifest = read_manifest(repository_, repository_.store(), *use.snapshot);
    if (!manifest.ok() && !is_object_fault(manifest.error())) return manifest.error();
    if (!manifest.ok()) return std::optional<ManifestStream>();
    last_manifest_.emplace(use.snapshot, *std::move(manifest));
  }
  const std::vector<ManifestStream>& streams = last_manifest_->second.streams;
  const auto found = std::ranges::find(streams, use.label, &ManifestStream::label);
  return found == streams.end() ? std::optional<ManifestStream>() : std::optional(*found);
}

}  // namespace drs
