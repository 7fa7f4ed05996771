#include "engine/pipeline/pull/block_recovery.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "codecs/hmac_sha256.h"
#include "engine/format/names.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

// For a block whose chunks are not known.
BlockRecovery::Recovered nothing_of(MutableByteView plain, const Error& error) {
  BlockRecovery::Recovered nothing;
  nothing.block.plain_bytes = plain.size();
  nothing.block.lost = {{0, static_cast<std::uint32_t>(plain.size())}};
  nothing.problem = error.message;
  return nothing;
}

}  // namespace

Result<std::unique_ptr<BlockRecovery>> BlockRecovery::open(Repository& repository, ObjectStore& store,
                                                           const Failure& failure, std::size_t index_cache_bytes,
                                                           Listing listing) {
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, store));
  DRS_ASSIGN_OR_RETURN(auto index,
                       LiveIndex::open(repository, store, {.cache_bytes = index_cache_bytes}, {}, std::move(listing)));
  return std::unique_ptr<BlockRecovery>(new BlockRecovery(repository, failure, std::move(index), std::move(reader)));
}

Result<void> BlockRecovery::check_running() const {
  if (failure_.failed()) return Error(ErrorCode::kCancelled, "the restore has ended");
  return {};
}

Result<bool> BlockRecovery::renew(const std::optional<BlockLocation>& tried, const Error& error) {
  DRS_RETURN_IF_ERROR(check_running());
  return lists_->renew(tried, error);
}

Result<BlockLocation> BlockRecovery::locate(const BlockId& id) {
  return lists_->locate(id);
}

// `at`: where the block was read last, if it was found.
Loss BlockRecovery::loss_of(const BlockId& id, const std::optional<BlockLocation>& at, const Error& error) {
  Loss loss{.cause = cause_of(error), .part = Loss::Part::kData, .pack = std::nullopt};
  if (at) {
    loss.pack = at->pack;
  } else if (const auto claim = lists_->index().any_claim(id); claim.ok()) {
    if (const auto pack = lists_->index().claimed_pack(*claim); pack.ok()) loss.pack = pack->name;
    // A pack that is listed with another size is there: it was cut, or has grown.
    if (loss.pack && loss.cause == Loss::Cause::kMissing && lists_->packs().find(*loss.pack) != nullptr)
      loss.cause = Loss::Cause::kDamaged;
  }
  return loss;
}

Result<RecipePart> BlockRecovery::read_recipe_part(const RecipePartRef& ref, Loss* loss) {
  auto part = reader_.read_recipe_part(lists_->index(), ref);
  if (part.ok()) return part;
  for (;;) {
    const auto location = locate(ref.block);
    if (!location.ok() && !is_object_fault(location.error())) return location.error();
    part = reader_.read_recipe_part(lists_->index(), ref);
    if (part.ok() || !is_object_fault(part.error())) return part;
    const auto tried = location.ok() ? std::optional(*location) : std::nullopt;
    DRS_ASSIGN_OR_RETURN(bool changed, renew(tried, part.error()));
    if (changed) continue;
    auto other = read_other_copy(ref, part.error());
    if (other.ok() || !is_object_fault(other.error())) return other;
    DRS_ASSIGN_OR_RETURN(changed, renew(std::nullopt, other.error()));
    if (changed) continue;
    if (loss != nullptr) {
      *loss = loss_of(ref.block, tried, part.error());
      loss->part = Loss::Part::kRecipe;
    }
    return other;
  }
}

// All units, the one with the latest finds first. Unit numbers stay valid until lists are made again.
std::vector<std::uint32_t>& BlockRecovery::units() {
  if (units_of_ != lists_->lists_made()) {
    units_.resize(lists_->index().unit_count());
    std::iota(units_.begin(), units_.end(), 0U);
    units_of_ = lists_->lists_made();
  }
  return units_;
}

// Tries the claims that locate() did not choose. This is rare, so it reads all directories.
Result<RecipePart> BlockRecovery::read_other_copy(const RecipePartRef& ref, const Error& error) {
  BlockIndex& index = lists_->index();
  for (const std::uint32_t unit : units()) {
    DRS_RETURN_IF_ERROR(check_running());
    for (std::uint32_t block = 0; block < index.unit_blocks(unit); ++block) {
      const auto location = index.location({unit, block});
      if (!location.ok() || location->record.id != ref.block) continue;
      const auto plain = reader_.read(*location);
      if (!plain.ok()) continue;
      auto part = decode_recipe_part(*plain);
      if (part.ok() && part->stream_offset_bytes == ref.stream_offset_bytes && part->stream_bytes == ref.stream_bytes) {
        return part;
      }
    }
  }
  return Error(ErrorCode::kCorrupt, error.message + "; there is no other copy of this part of the recipe");
}

Result<BlockRecovery::Recovered> BlockRecovery::recover(const BlockId& id, const std::optional<BlockLocation>& tried,
                                                        const Error& first_error, MutableByteView plain) {
  DRS_RETURN_IF_ERROR(renew(tried, first_error));
  for (;;) {
    std::optional<BlockLocation> at;
    Error error = first_error;
    if (const auto location = locate(id); !location.ok()) {
      error = location.error();
    } else if (const auto bytes = reader_.read(*location); !bytes.ok()) {
      error = bytes.error();
      at = *location;
    } else {
      std::copy(bytes->begin(), bytes->end(), plain.begin());
      return Recovered{{bytes->size()}, bytes->size(), location->record.sealed_bytes, false, {}};
    }
    if (!is_object_fault(error)) return error;
    DRS_ASSIGN_OR_RETURN(bool changed, renew(at, error));
    if (changed) continue;
    auto healed = heal(id, plain);
    if (!healed.ok() && !is_object_fault(healed.error())) return healed;
    if (healed.ok() && healed->block.lost.empty()) return healed;
    Recovered rest = healed.ok() ? *std::move(healed) : nothing_of(plain, healed.error());
    rest.problem = error.message + "; it cannot be rebuilt: " + rest.problem;
    DRS_ASSIGN_OR_RETURN(changed, renew(std::nullopt, Error(ErrorCode::kCorrupt, rest.problem)));
    if (changed) continue;
    rest.block.loss = loss_of(id, at, error);
    // The slot may hold bytes of another block there.
    for (const BlockSpan& span : rest.block.lost) wipe(plain.subspan(span.offset_bytes, span.bytes));
    return rest;
  }
}

Result<BlockRecovery::Recovered> BlockRecovery::heal(const BlockId& id, MutableByteView plain) {
  BlockIndex& index = lists_->index();
  DRS_ASSIGN_OR_RETURN(const BlockClaim claim, index.any_claim(id));
  DRS_ASSIGN_OR_RETURN(const ChunkList chunks, index.chunks(claim));
  Recovered recovered;
  MissingChunks missing;
  for (const ChunkEntry& chunk : *chunks) {
    MissingChunk& entry = missing[chunk.id];
    entry.bytes = chunk.bytes;
    entry.offsets.push_back(recovered.block.plain_bytes);
    recovered.block.plain_bytes += chunk.bytes;
  }
  if (missing.empty() || recovered.block.plain_bytes > plain.size()) {
    return Error(ErrorCode::kCorrupt, "the index does not know its chunks");
  }
  std::vector<std::uint32_t>& units = this->units();
  for (std::size_t i = 0; i < units.size() && !missing.empty(); ++i) {
    DRS_RETURN_IF_ERROR(check_running());
    const std::size_t missing_before = missing.size();
    DRS_RETURN_IF_ERROR(fill_from_unit(units[i], missing, plain, recovered));
    if (missing.size() < missing_before) {
      // Chunks that were lost together were mostly stored again together: search this unit first from now on.
      std::rotate(units.begin(), units.begin() + static_cast<std::ptrdiff_t>(i),
                  units.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }
  recovered.healed = missing.empty();
  if (recovered.healed) return recovered;
  recovered.block.lost = spans_of(missing);
  recovered.problem = std::to_string(missing.size()) + " of its " + std::to_string(chunks->size()) +
                      (missing.size() == 1 ? " chunks has no other copy" : " chunks have no other copy");
  return recovered;
}

// Where missing chunks lie in their block.
std::vector<BlockSpan> BlockRecovery::spans_of(const MissingChunks& missing) {
  std::vector<BlockSpan> all;
  for (const auto& [id, chunk] : missing)
    for (const std::size_t offset : chunk.offsets) all.push_back({static_cast<std::uint32_t>(offset), chunk.bytes});
  std::sort(all.begin(), all.end(),
            [](const BlockSpan& a, const BlockSpan& b) { return a.offset_bytes < b.offset_bytes; });
  std::vector<BlockSpan> joined;
  for (const BlockSpan& span : all) {
    if (!joined.empty() && joined.back().offset_bytes + joined.back().bytes == span.offset_bytes)
      joined.back().bytes += span.bytes;
    else
      joined.push_back(span);
  }
  return joined;
}

Result<void> BlockRecovery::fill_from_unit(std::uint32_t unit, MissingChunks& missing, MutableByteView plain,
                                           Recovered& recovered) {
  std::vector<std::uint32_t> candidates;
  const auto visited = lists_->index().visit_chunks(
      unit, [&](std::uint32_t block, const std::vector<ChunkEntry>& entries) -> Result<void> {
        const bool wanted = std::any_of(entries.begin(), entries.end(),
                                        [&](const ChunkEntry& chunk) { return missing.contains(chunk.id); });
        if (wanted) candidates.push_back(block);
        return {};
      });
  // A damaged index object ends the visit early; the entries before the damage are good.
  if (!visited.ok() && !is_object_fault(visited.error())) return visited.error();
  for (const std::uint32_t block : candidates) {
    if (missing.empty()) break;
    fill_from_block({unit, block}, missing, plain, recovered);
  }
  return {};
}

bool BlockRecovery::fill_from_block(BlockClaim place, MissingChunks& missing, MutableByteView plain,
                                    Recovered& recovered) {
  const auto chunks = lists_->index().chunks(place);
  if (!chunks.ok()) return false;
  const bool wanted = std::any_of((*chunks)->begin(), (*chunks)->end(),
                                  [&](const ChunkEntry& chunk) { return missing.contains(chunk.id); });
  if (!wanted) return false;
  const auto location = lists_->index().location(place);
  if (!location.ok()) return false;
  const auto bytes = reader_.read(*location);
  if (!bytes.ok()) return false;
  recovered.decoded_bytes += bytes->size();
  recovered.read_bytes += location->record.sealed_bytes;
  std::size_t offset = 0;
  for (const ChunkEntry& chunk : **chunks) {
    const std::size_t begin = std::exchange(offset, offset + chunk.bytes);
    if (offset > bytes->size()) break;
    const auto entry = missing.find(chunk.id);
    if (entry == missing.end() || entry->second.bytes != chunk.bytes) continue;
    const ByteView found = ByteView(*bytes).subspan(begin, chunk.bytes);
    if (hmac_sha256(repository_.keys().chunk_id(), found) != chunk.id) continue;
    for (const std::size_t at : entry->second.offsets) {
      std::copy(found.begin(), found.end(), plain.begin() + static_cast<std::ptrdiff_t>(at));
    }
    missing.erase(entry);
  }
  return true;
}

}  // namespace drs
