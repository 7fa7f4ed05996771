#include "engine/pipeline/push/deduplicator.h"

namespace drs {
namespace {

// When recipe parts run out: the shortest run of known chunks that is kept as a run rather than stored anew.
constexpr std::size_t kLongRunBytesMin = kBlockBytesMax / 2;

}  // namespace

Deduplicator::Deduplicator(const Uuid& session, KnownBlocks& known, PushStages& stages, ReusedObjects* reused,
                           ProgressCounters& progress, const RecipeLimits& limits)
    : known_(known),
      stages_(stages),
      reused_(reused),
      progress_(progress),
      ids_(session),
      builder_(
          ids_, [this] { return stages_.workers().acquire_gather_buffer(); },
          [this](BlockJob job) {
            known_.session_blocks().add(job.counter, job.chunks);
            known_.dedup().add_block(job.counter, job.chunks);
            if (job.gathered) gathered_.clear();
            stages_.workers().add(std::move(job));
          }),
      recipe_(
          ids_, [this](BlockJob job) { stages_.workers().add(std::move(job)); }, limits) {}

// Takes over the index objects that became durable: their blocks are found there from now on.
void Deduplicator::take_published() {
  for (const PublishedIndex& published : stages_.packs().take_published()) {
    for (const IndexedPack& pack : published.summary.packs) known_.packs().add(pack.name, pack.bytes);
    if (reused_ != nullptr) reused_->add_own(published);
    known_.index().add_unit(published.name, published.bytes, published.summary, published.salt);
    for (const BlockId& id : published.blocks) known_.session_blocks().remove(id.counter);
  }
}

// Fills verdicts_, and places_ for the known chunks. Errors: the store's.
Result<void> Deduplicator::look_up(const Segment& segment) {
  const std::size_t count = segment.chunk_bytes.size();
  verdicts_.assign(count, {});
  places_.assign(count, {});
  fresh_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto seen = fresh_.find(segment.ids[i]); seen != fresh_.end()) {
      verdicts_[i] = {Verdict::Kind::kRepeated, seen->second};
      continue;
    }
    if (const auto waiting = gathered_.find(segment.ids[i]); waiting != gathered_.end()) {
      verdicts_[i].kind = Verdict::Kind::kKnown;
      places_[i] = waiting->second;
      continue;
    }
    DRS_ASSIGN_OR_RETURN(const DedupIndex::Answer answer, known_.dedup().find(segment.ids[i], segment.chunk_bytes[i]));
    if (answer.place) {
      verdicts_[i].kind = Verdict::Kind::kKnown;
      places_[i] = *answer.place;
      if (reused_ != nullptr && answer.stored) reused_->add(*answer.stored);
      continue;
    }
    if (answer.sparse) totals_.rewritten_bytes += segment.chunk_bytes[i];
    fresh_.emplace(segment.ids[i], i);
  }
  return {};
}

// Builds blocks of the new chunks, which gives them their places. Errors: kCancelled.
Result<void> Deduplicator::build_blocks(const std::shared_ptr<Segment>& segment) {
  const std::size_t count = segment->chunk_bytes.size();
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
  // Remember the chunks still being gathered until their block is complete.
  const auto gathering = builder_.gathering_id();
  for (std::size_t i = 0; gathering && i < count; ++i)
    if (verdicts_[i].kind == Verdict::Kind::kNew && places_[i].block == *gathering)
      gathered_.insert_or_assign(segment->ids[i], places_[i]);
  return {};
}

Result<void> Deduplicator::add(const std::shared_ptr<Segment>& segment) {
  take_published();
  known_.dedup().advance(segment->stream_offset_bytes);
  DRS_RETURN_IF_ERROR(look_up(*segment));
  if (recipe_.is_scattered()) store_scattered_anew(*segment);
  const std::uint64_t new_before = builder_.new_bytes();
  DRS_RETURN_IF_ERROR(build_blocks(segment));
  const std::size_t count = segment->chunk_bytes.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (verdicts_[i].kind == Verdict::Kind::kRepeated) places_[i] = places_[verdicts_[i].first_seen];
    DRS_RETURN_IF_ERROR(recipe_.add(places_[i], segment->chunk_bytes[i]));
  }
  totals_.bytes += segment->data.size();
  totals_.chunks += count;
  progress_.bytes += segment->data.size();
  progress_.new_bytes += builder_.new_bytes() - new_before;
  return {};
}

// Marks short runs of known chunks as new. Stored anew they lie end to end, in one block for each MiB.
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

Result<void> Deduplicator::finish() {
  builder_.flush();
  return recipe_.finish();
}

Deduplicator::Totals Deduplicator::totals() const {
  Totals totals = totals_;
  totals.new_bytes = builder_.new_bytes();
  totals.copied_bytes = builder_.copied_bytes();
  return totals;
}

}  // namespace drs
