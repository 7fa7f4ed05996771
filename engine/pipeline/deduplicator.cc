#include "engine/pipeline/deduplicator.h"

namespace drs {

Deduplicator::Deduplicator(const Uuid& session, DedupIndex& dedup, BlockIndex& index, PackCatalog& catalog,
                           SessionBlocks& blocks, PackWriter& packs, PushWorkers*& workers, ProgressCounters& progress,
                           LockedObjects* locked)
    : session_(session),
      dedup_(dedup),
      index_(index),
      catalog_(catalog),
      blocks_(blocks),
      packs_(packs),
      workers_(workers),
      progress_(progress),
      locked_(locked),
      builder_(
          session, [this] { return workers_->acquire_gather_buffer(); },
          [this](BlockJob job) {
            blocks_.add(job.counter, job.chunks);
            dedup_.add_block(job.counter, job.chunks);
            if (job.gathered) gathered_.clear();
            workers_->add(std::move(job));
          }) {}

// Index objects that became durable: from now on their blocks are found there.
void Deduplicator::take_published() {
  for (const PublishedIndex& published : packs_.take_published()) {
    for (const IndexedPack& pack : published.summary.packs) catalog_.add(pack.name, pack.bytes);
    if (locked_ != nullptr) locked_->add_own(published);
    index_.add_unit(published.name, published.bytes, published.summary, published.salt);
    for (const BlockId& id : published.blocks) blocks_.remove(id.counter);
  }
}

Result<void> Deduplicator::add(const std::shared_ptr<Segment>& segment) {
  take_published();
  dedup_.advance(segment->stream_offset_bytes);
  const std::size_t count = segment->chunk_bytes.size();
  verdicts_.assign(count, {});
  places_.assign(count, {});
  fresh_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto seen = fresh_.find(segment->ids[i]); seen != fresh_.end()) {
      verdicts_[i] = {Verdict::Kind::kRepeated, seen->second};
      continue;
    }
    if (const auto waiting = gathered_.find(segment->ids[i]); waiting != gathered_.end()) {
      verdicts_[i].kind = Verdict::Kind::kKnown;
      places_[i] = waiting->second;
      continue;
    }
    DRS_ASSIGN_OR_RETURN(const DedupIndex::Answer answer, dedup_.find(segment->ids[i], segment->chunk_bytes[i]));
    if (answer.place) {
      verdicts_[i].kind = Verdict::Kind::kKnown;
      places_[i] = *answer.place;
      continue;
    }
    if (answer.sparse) totals_.rewritten_bytes += segment->chunk_bytes[i];
    fresh_.emplace(segment->ids[i], i);
  }

  const std::uint64_t new_before = builder_.new_bytes();
  std::size_t offset = 0;
  for (std::size_t i = 0; i < count;) {
    std::size_t end = i;
    std::size_t bytes = 0;
    while (end < count && verdicts_[end].kind == Verdict::Kind::kNew) bytes += segment->chunk_bytes[end++];
    if (end == i) {
      offset += segment->chunk_bytes[i++];
      continue;
    }
    if (!builder_.add_run(segment, i, end, offset, places_)) return Error(ErrorCode::kCancelled, "the push has failed");
    offset += bytes;
    i = end;
  }
  // Those still being gathered: remember them until their block is complete.
  const auto gathering = builder_.gathering_counter();
  for (std::size_t i = 0; gathering && i < count; ++i)
    if (verdicts_[i].kind == Verdict::Kind::kNew && places_[i].block.counter == *gathering)
      gathered_.insert_or_assign(segment->ids[i], places_[i]);

  for (std::size_t i = 0; i < count; ++i) {
    if (verdicts_[i].kind == Verdict::Kind::kRepeated) places_[i] = places_[verdicts_[i].first_seen];
    if (auto part = recipe_.add(places_[i], segment->chunk_bytes[i]))
      DRS_RETURN_IF_ERROR(add_recipe_part(*std::move(part)));
  }
  totals_.bytes += segment->data.size();
  totals_.chunks += count;
  progress_.bytes += segment->data.size();
  progress_.new_bytes += builder_.new_bytes() - new_before;
  return {};
}

Result<void> Deduplicator::add_recipe_part(RecipePart part) {
  if (locked_ != nullptr) DRS_RETURN_IF_ERROR(locked_->add(part));
  BlockJob job;
  job.counter = builder_.next_counter();
  job.kind = BlockKind::kRecipe;
  job.owned = encode_recipe_part(part);
  job.plain = job.owned;
  DRS_ASSERT(job.plain.size() <= kBlockBytesMax, "a recipe part outgrew a block");
  parts_.push_back({{session_, job.counter}, part.stream_offset_bytes, part.stream_bytes});
  workers_->add(std::move(job));
  return {};
}

Result<void> Deduplicator::finish() {
  builder_.flush();
  if (auto part = recipe_.finish()) return add_recipe_part(*std::move(part));
  return {};
}

Deduplicator::Totals Deduplicator::totals() const {
  Totals totals = totals_;
  totals.new_bytes = builder_.new_bytes();
  totals.copied_bytes = builder_.copied_bytes();
  return totals;
}

}  // namespace drs
