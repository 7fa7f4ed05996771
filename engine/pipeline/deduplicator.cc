#include "engine/pipeline/deduplicator.h"

namespace drs {
namespace {

// A run of known chunks that is worth its place in a recipe whose parts are running out.
constexpr std::size_t kLongRunBytesMin = kBlockBytesMax / 2;

}  // namespace

Deduplicator::Deduplicator(const Uuid& session, DedupIndex& dedup, BlockIndex& index, PackCatalog& catalog,
                           SessionBlocks& blocks, PackWriter& packs, PushWorkers*& workers, ProgressCounters& progress,
                           ReusedObjects* reused, const RecipeLimits& limits)
    : session_(session),
      dedup_(dedup),
      index_(index),
      catalog_(catalog),
      blocks_(blocks),
      packs_(packs),
      workers_(workers),
      progress_(progress),
      reused_(reused),
      limits_(limits),
      builder_(
          session, [this] { return workers_->acquire_gather_buffer(); },
          [this](BlockJob job) {
            blocks_.add(job.counter, job.chunks);
            dedup_.add_block(job.counter, job.chunks);
            if (job.gathered) gathered_.clear();
            workers_->add(std::move(job));
          }),
      recipe_(limits) {}

// Index objects that became durable: from now on their blocks are found there.
void Deduplicator::take_published() {
  for (const PublishedIndex& published : packs_.take_published()) {
    for (const IndexedPack& pack : published.summary.packs) catalog_.add(pack.name, pack.bytes);
    if (reused_ != nullptr) reused_->add_own(published);
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
      if (reused_ != nullptr && answer.stored) reused_->add(*answer.stored);
      continue;
    }
    if (answer.sparse) totals_.rewritten_bytes += segment->chunk_bytes[i];
    fresh_.emplace(segment->ids[i], i);
  }

  if (parts_.size() >= limits_.parts_scattered_max) store_scattered_anew(*segment);

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

// Turns short runs of known chunks into new ones. What is stored anew lies end to end, a block for each MiB.
void Deduplicator::store_scattered_anew(const Segment& segment) {
  const std::size_t count = segment.chunk_bytes.size();
  for (std::size_t first = 0; first < count;) {
    std::size_t end = first + 1;
    std::size_t bytes = segment.chunk_bytes[first];
    const auto follows = [&] {
      return verdicts_[end].kind == Verdict::Kind::kKnown && places_[end].block == places_[first].block &&
             places_[end].chunk == places_[first].chunk + (end - first);
    };
    if (verdicts_[first].kind == Verdict::Kind::kKnown)
      while (end < count && follows()) bytes += segment.chunk_bytes[end++];
    if (verdicts_[first].kind != Verdict::Kind::kNew && bytes < kLongRunBytesMin) {
      for (std::size_t i = first; i < end; ++i) verdicts_[i].kind = Verdict::Kind::kNew;
      totals_.rewritten_bytes += bytes;
    }
    first = end;
  }
}

Result<void> Deduplicator::add_recipe_part(RecipePart part) {
  if (parts_.size() >= limits_.parts_max)
    return Error(ErrorCode::kUsage,
                 "the recipe of this stream has more than " + std::to_string(limits_.parts_max) +
                     " parts, so that no snapshot can name them: the stream is too long for its scattered chunks. "
                     "Nothing was committed. Divide it into several streams, or push it into a new repository");
  BlockJob job;
  job.counter = builder_.next_counter();
  job.kind = BlockKind::kRecipe;
  job.owned = encode_recipe_part(part);
  job.plain = job.owned;
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
