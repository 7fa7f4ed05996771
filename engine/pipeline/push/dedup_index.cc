#include "engine/pipeline/push/dedup_index.h"

#include <algorithm>

#include "io/base/error_class.h"

namespace drs {
namespace {

// When sampled: how far ahead of the stream the last snapshot's blocks are loaded. The chunk lists of 32 MiB of stream
// take about 80 KiB.
constexpr std::uint64_t kPrefetchBytes = 32 * kMiB;

// When sampled: how many blocks after a hit block are loaded with it. Their lists are read together with its own.
constexpr std::uint32_t kBlocksFollowing = 8;

constexpr std::uint64_t kChunkBytesGuess = 16 * kKiB;

// Copies of one chunk that `find` considers; more would not help.
constexpr std::size_t kHintsMax = 16;

}  // namespace

Result<std::unique_ptr<DedupIndex>> DedupIndex::make(BlockIndex& index, BlockReader& reader, SessionBlocks& blocks,
                                                     PreviousRecipe previous, Options options,
                                                     std::vector<std::string>& warnings) {
  DRS_ASSIGN_OR_RETURN(DedupTable table, DedupTable::make(options.table_bytes));
  std::unique_ptr<DedupIndex> dedup(
      new DedupIndex(index, reader, blocks, std::move(previous), options, std::move(table)));
  DRS_RETURN_IF_ERROR(dedup->load(warnings));
  return dedup;
}

Result<void> DedupIndex::load(std::vector<std::string>& warnings) {
  // A fifth stays free for the chunks that this push adds, before the table must be thinned.
  while (shift_ < 31 && (index_.chunk_count() >> shift_) > samples_max() / 5 * 4) ++shift_;
  shift_at_load_ = shift_;
  for (std::uint32_t unit = 0; unit < index_.unit_count(); ++unit) {
    auto loaded = load_unit(unit);
    if (loaded.ok()) continue;
    if (!is_object_fault(loaded.error())) return loaded;
    warnings.push_back(loaded.error().message + "; chunks that only this object names are stored again");
  }
  return {};
}

Result<void> DedupIndex::load_unit(std::uint32_t unit) {
  const auto usable = [&](std::uint32_t block) {
    const auto location = index_.location({unit, block});
    return location.ok() && location->usable;
  };
  if (shift_ < kHookShift) {
    return index_.visit_chunks(unit, [&](std::uint32_t block, const std::vector<ChunkEntry>& chunks) -> Result<void> {
      if (!usable(block)) return {};
      for (std::size_t i = 0; i < chunks.size(); ++i)
        if (const std::uint64_t word = chunk_word(chunks[i].id); sampled(word))
          insert(word, {unit, static_cast<std::uint16_t>(block), static_cast<std::uint16_t>(i)});
      return {};
    });
  }
  DRS_ASSIGN_OR_RETURN(const auto hooks, index_.hooks(unit));
  for (const Hook& hook : hooks)
    if (sampled(hook.word) && usable(hook.block))
      insert(hook.word, {unit, static_cast<std::uint16_t>(hook.block), hook.chunk});
  return {};
}

void DedupIndex::insert(std::uint64_t word, ChunkHint hint) {
  if (table_.size() - mirrored_entries_ >= samples_max()) make_room();
  if (!sampled(word)) return;
  // Thinning cannot remove copies of one chunk: they share a word. Beyond what `find` considers they would fill the
  // table.
  std::size_t copies = 0;
  table_.find(table_word(word), [&](const ChunkHint&) { return ++copies == kHintsMax; });
  if (copies < kHintsMax) table_.insert(table_word(word), hint);
}

// The table is full: keeps half as many samples. Of mirrored blocks only the hooks stay.
void DedupIndex::make_room() {
  while (table_.size() >= samples_max()) {
    while (!mirrored_.empty()) drop_oldest_mirrored();
    ++shift_;
    DRS_ASSERT(shift_ < 32, "the table of known chunks is full of samples at the largest shift");
    table_.thin(shift_ - shift_at_load_);
  }
}

ChunkHint DedupIndex::own_hint(std::uint64_t counter, std::size_t chunk) {
  const std::uint64_t unit = kOwnUnits + (counter >> kOwnBlockBits);
  DRS_ASSERT(unit < 0xFFFFFFFFU, "more blocks in one push than the deduplication table can number");
  return {static_cast<std::uint32_t>(unit), static_cast<std::uint16_t>(counter & ((1U << kOwnBlockBits) - 1)),
          static_cast<std::uint16_t>(chunk)};
}

void DedupIndex::add_block(std::uint64_t counter, const SessionBlocks::Chunks& chunks) {
  for (std::size_t i = 0; i < chunks->size(); ++i) insert(chunk_word((*chunks)[i].id), own_hint(counter, i));
  if (shift_ > 0) {
    const ChunkHint hint = own_hint(counter, 0);
    mirror({hint.unit, hint.block}, chunks);
  }
}

// Calls `action(word, hint)` for each chunk of the block that is not a sample.
template <typename Action>
void DedupIndex::each_plain(std::uint64_t key, const ChunkList& chunks, const Action& action) const {
  for (std::size_t i = 0; i < chunks->size(); ++i) {
    const std::uint64_t word = chunk_word((*chunks)[i].id);
    if (!sampled(word))
      action(word, ChunkHint{static_cast<std::uint32_t>(key >> 32), static_cast<std::uint16_t>(key),
                             static_cast<std::uint16_t>(i)});
  }
}

void DedupIndex::drop_oldest_mirrored() {
  each_plain(mirrored_.back().key, mirrored_.back().chunks, [&](std::uint64_t word, ChunkHint hint) {
    const bool there = table_.erase(table_word(word), hint);
    DRS_ASSERT(there, "a mirrored chunk is not in the table");
    --mirrored_entries_;
  });
  mirrored_places_.erase(mirrored_.back().key);
  mirrored_.pop_back();
}

// Puts every chunk of the block into the table. Drops the least recently used blocks to make room.
void DedupIndex::mirror(BlockClaim place, const ChunkList& chunks) {
  const std::uint64_t key = key_of(place);
  if (const auto found = mirrored_places_.find(key); found != mirrored_places_.end()) {
    mirrored_.splice(mirrored_.begin(), mirrored_, found->second);
    return;
  }
  if (chunks->size() > mirrored_entries_max()) return;
  while (mirrored_.size() >= options_.mirrored_blocks_max ||
         mirrored_entries_ + chunks->size() > mirrored_entries_max()) {
    drop_oldest_mirrored();
  }
  each_plain(key, chunks, [&](std::uint64_t word, ChunkHint hint) {
    table_.insert(table_word(word), hint);
    ++mirrored_entries_;
  });
  mirrored_.push_front({key, chunks});
  mirrored_places_[key] = mirrored_.begin();
}

// A stream that hits an old block usually continues with the blocks made after it, but few of their chunks are samples.
void DedupIndex::mirror_following(BlockClaim place) {
  if (place.unit >= kOwnUnits) return;
  const std::uint32_t end = std::min(index_.unit_blocks(place.unit), place.block + 1 + kBlocksFollowing);
  if (place.block + 1 >= end || is_mirrored({place.unit, place.block + 1})) return;
  // At most half of the room, as in `advance`: the blocks must not evict each other.
  std::size_t room = mirrored_entries_max() / 2;
  for (BlockClaim next{place.unit, place.block + 1}; next.block < end; ++next.block) {
    const auto location = index_.location(next);
    if (!location.ok() || !location->usable) continue;
    const auto chunks = index_.chunks(next);
    if (!chunks.ok()) continue;
    if ((*chunks)->size() > room) return;
    room -= (*chunks)->size();
    mirror(next, *chunks);
  }
}

Result<DedupIndex::Candidate> DedupIndex::candidate(BlockClaim place) {
  Candidate found;
  if (place.unit >= kOwnUnits) {
    const std::uint64_t counter = (std::uint64_t{place.unit - kOwnUnits} << kOwnBlockBits) + place.block;
    found.id = {options_.session, counter};
    found.use = PreviousRecipe::Use::kDense;
    found.usable = true;
    found.chunks = blocks_.find(counter);
    if (found.chunks) return found;
    // Published in the meantime: read the chunk list from the index, like any other block's.
    DRS_ASSIGN_OR_RETURN(const BlockLocation location, index_.locate(found.id));
    DRS_ASSIGN_OR_RETURN(found.chunks, index_.chunks(location.place));
    found.usable = location.usable;
    return found;
  }
  DRS_ASSIGN_OR_RETURN(const BlockLocation location, index_.location(place));
  found.id = location.record.id;
  found.usable = location.usable;
  found.use = previous_.use(place);
  found.stored = location;
  DRS_ASSIGN_OR_RETURN(found.chunks, index_.chunks(place));
  return found;
}

std::optional<ChunkPlace> DedupIndex::match(const Candidate& candidate, std::size_t chunk, const ChunkId& id,
                                            std::uint16_t bytes) {
  if (chunk >= candidate.chunks->size()) return std::nullopt;
  const ChunkEntry& entry = (*candidate.chunks)[chunk];
  if (entry.bytes != bytes || entry.id != id) return std::nullopt;
  std::uint32_t offset = 0;
  for (std::size_t i = 0; i < chunk; ++i) offset += (*candidate.chunks)[i].bytes;
  return ChunkPlace{candidate.id, static_cast<std::uint32_t>(chunk), offset};
}

Result<DedupIndex::Answer> DedupIndex::find(const ChunkId& id, std::uint16_t bytes) {
  Answer answer;
  if (last_ && last_chunk_ + 1 < last_->chunks->size()) {
    const ChunkEntry& next = (*last_->chunks)[last_chunk_ + 1];
    if (next.bytes == bytes && next.id == id) {
      last_offset_bytes_ += (*last_->chunks)[last_chunk_].bytes;
      ++last_chunk_;
      answer.place = ChunkPlace{last_->id, static_cast<std::uint32_t>(last_chunk_), last_offset_bytes_};
      return answer;
    }
  }
  const std::uint64_t word = chunk_word(id);
  // Loading lists changes the table: collect the hints first.
  std::array<ChunkHint, kHintsMax> hints;
  std::size_t hint_count = 0;
  table_.find(table_word(word), [&](const ChunkHint& hint) {
    // A chunk that is not a sample is in the table only while its block is mirrored. Any other hit is a collision: skip
    // it, rather than read a list for it.
    if (!sampled(word) && !is_mirrored({hint.unit, hint.block})) return false;
    hints[hint_count++] = hint;
    return hint_count == kHintsMax;
  });
  std::optional<Candidate> best;
  std::optional<ChunkPlace> best_place;
  bool sparse = false;
  for (std::size_t i = 0; i < hint_count; ++i) {
    const BlockClaim claim{hints[i].unit, hints[i].block};
    auto found = candidate(claim);
    if (!found.ok()) {
      if (is_object_fault(found.error())) continue;
      return std::move(found).error();
    }
    if (!found->usable) continue;
    const auto place = match(*found, hints[i].chunk, id, bytes);
    if (!place) continue;
    if (shift_ > 0) {
      mirror_following(claim);
      mirror(claim, found->chunks);
    }
    if (found->use == PreviousRecipe::Use::kSparse) {
      sparse = true;
      continue;
    }
    const bool dense = found->use == PreviousRecipe::Use::kDense;
    if (!best || dense) {
      best = *std::move(found);
      best_place = place;
    }
    if (dense) break;
  }
  // The last snapshot took this chunk from a sparse block. A copy in a block that it did not use at all is no better:
  // most likely an earlier snapshot found that block sparse.
  answer.sparse = sparse && (!best || best->use != PreviousRecipe::Use::kDense);
  if (best && !answer.sparse) {
    last_ = std::move(best);
    answer.stored = last_->stored;
    last_chunk_ = best_place->chunk;
    last_offset_bytes_ = best_place->offset_bytes;
    answer.place = best_place;
  }
  return answer;
}

void DedupIndex::advance(std::uint64_t stream_offset_bytes) {
  // Load no more than half of what can be mirrored: otherwise later blocks would evict those needed next.
  const std::uint64_t window = std::min<std::uint64_t>(kPrefetchBytes, mirrored_entries_max() / 2 * kChunkBytesGuess);
  if (shift_ == 0 || stream_offset_bytes + window / 2 < prefetched_to_bytes_) return;
  const std::uint64_t from = std::max(stream_offset_bytes, prefetched_to_bytes_);
  prefetched_to_bytes_ = stream_offset_bytes + window;
  previous_.visit_range(from, prefetched_to_bytes_, index_, reader_, [&](BlockClaim place) {
    const auto location = index_.location(place);
    if (!location.ok() || !location->usable) return;
    if (const auto chunks = index_.chunks(place); chunks.ok()) mirror(place, *chunks);
  });
}

}  // namespace drs
