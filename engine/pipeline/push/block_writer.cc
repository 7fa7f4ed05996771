#include "engine/pipeline/push/block_writer.h"

#include <algorithm>
#include <utility>

#include "engine/format/names.h"

namespace drs {
namespace {

constexpr std::size_t kChunkBytesMax = 65'534;
constexpr std::size_t kBlockChunks = 16;             // the lanes of the hasher
constexpr std::size_t kShortBlockChunk = 16 * kKiB;  // blocks that are shorter than 16 of these have fewer chunks

// Cuts a block into chunks of equal size; the last one may be shorter.
std::vector<std::uint16_t> cut_evenly(std::size_t bytes, std::size_t chunk_bytes_min) {
  const std::size_t wanted =
      std::clamp<std::size_t>(bytes / std::max(chunk_bytes_min, kShortBlockChunk), 1, kBlockChunks);
  const std::size_t count = std::max(wanted, (bytes + kChunkBytesMax - 1) / kChunkBytesMax);
  const std::size_t each = (bytes + count - 1) / count;
  std::vector<std::uint16_t> chunks;
  chunks.reserve(count);
  for (std::size_t at = 0; at < bytes; at += each)
    chunks.push_back(static_cast<std::uint16_t>(std::min(each, bytes - at)));
  return chunks;
}

}  // namespace

BlockWriter::BlockWriter(const WriteSession& session, std::unique_ptr<PushStages> stages, const RunControl& control,
                         const Options& options)
    : session_(session),
      control_(control),
      options_(options),
      ids_(session.id()),
      stages_(std::move(stages)),
      cancelling_(control_.cancel.on_cancel([this] {
        stages_->failure().fail({ErrorCode::kCancelled, "cancelled"});
      })) {}

BlockWriter::~BlockWriter() {
  // The workers use the members of this object until they end.
  stages_->stop();
}

Result<std::unique_ptr<BlockWriter>> BlockWriter::open(Repository& repository, const WriteSession& session,
                                                       const PushBudget& budget, const RunControl& control,
                                                       const Options& options) {
  DRS_ASSIGN_OR_RETURN(
      std::unique_ptr<PushStages> stages,
      PushStages::make(repository, budget, control.progress,
                       {.session = session.id(), .compression = options.compression, .read_back = options.read_back}));
  std::unique_ptr<BlockWriter> writer(new BlockWriter(session, std::move(stages), control, options));
  DRS_RETURN_IF_ERROR(writer->start(repository));
  return writer;
}

Result<void> BlockWriter::start(const Repository& repository) {
  chunk_bytes_min_ = repository.config().chunks.bytes_min;
  return stages_->start([this](const std::shared_ptr<Segment>& segment) { return take_segment(segment); });
}

Result<void> BlockWriter::begin_stream() {
  if (recipe_ != nullptr) return {};
  recipe_ = std::make_unique<RecipeWriter>(
      ids_, [this](BlockJob job) { stages_->workers().add(std::move(job)); }, RecipeLimits{});
  digest_ = std::make_unique<StreamDigest>(options_.stream_sha256, stages_->failure(), stages_->meter());
  return digest_->start();
}

Result<PooledBuffer> BlockWriter::acquire() {
  StretchClock clock(stages_->meter());
  PooledBuffer buffer = stages_->gather_buffers().acquire();
  clock.wait(PushWait::kForBuffers);
  if (buffer) return buffer;
  DRS_RETURN_IF_ERROR(stages_->failure().result());
  return Error(ErrorCode::kCancelled, "cancelled");
}

Result<std::uint64_t> BlockWriter::append(PooledBuffer buffer, std::size_t bytes) {
  DRS_ASSERT(bytes > 0 && bytes <= kWholeBlockBytesMax && bytes <= buffer.bytes().size(), "a block has a wrong size");
  DRS_RETURN_IF_ERROR(stages_->failure().result());
  DRS_RETURN_IF_ERROR(begin_stream());
  if (auto beat = session_.heartbeat_result(); !beat.ok()) {
    stages_->failure().fail(std::move(beat).error());
    return stages_->failure().result().error();
  }
  auto segment = std::make_shared<Segment>();
  segment->data = buffer.bytes().first(bytes);
  segment->buffer = std::move(buffer);
  segment->stream_offset_bytes = offset_bytes_;
  segment->chunk_bytes = cut_evenly(bytes, chunk_bytes_min_);
  digest_->add(segment);
  stages_->workers().add(std::move(segment));
  const std::uint64_t place = offset_bytes_;
  offset_bytes_ += bytes;
  total_bytes_ += bytes;
  return place;
}

// The ordered step: gives the block its id and writes its place into the recipe.
Result<void> BlockWriter::take_segment(const std::shared_ptr<Segment>& segment) {
  take_published();
  const BlockId id = ids_.next();
  auto chunks = std::make_shared<std::vector<ChunkEntry>>();
  chunks->reserve(segment->chunk_bytes.size());
  ChunkPlace place{id, 0, 0};
  for (std::size_t i = 0; i < segment->chunk_bytes.size(); ++i) {
    chunks->push_back({segment->ids[i], segment->chunk_bytes[i]});
    DRS_RETURN_IF_ERROR(recipe_->add(place, segment->chunk_bytes[i]));
    ++place.chunk;
    place.offset_bytes += segment->chunk_bytes[i];
  }
  chunk_count_ += chunks->size();
  BlockJob job;
  job.counter = id.counter;
  job.plain = segment->data;
  job.chunks = std::move(chunks);
  job.segment = segment;
  stages_->workers().add(std::move(job));
  return {};
}

// What this session stored. No stage needs it, but it must not pile up there.
void BlockWriter::take_published() {
  for (const PublishedIndex& published : stages_->packs().take_published()) {
    own_objects_.emplace_back(published.name);
    for (const IndexedPack& pack : published.summary.packs) own_objects_.emplace_back(pack_name(pack.name));
  }
}

Result<ManifestStream> BlockWriter::end_stream(std::string label) {
  DRS_RETURN_IF_ERROR(begin_stream());
  DRS_RETURN_IF_ERROR(stages_->workers().wait_ordered());
  if (auto finished = recipe_->finish(); !finished.ok()) {
    stages_->failure().fail(std::move(finished).error());
    return stages_->failure().result().error();
  }
  const StreamDigest::Digests digests = digest_->finish();
  DRS_RETURN_IF_ERROR(stages_->failure().result());
  ManifestStream stream{.label = std::move(label),
                        .session = session_.id(),
                        .bytes = offset_bytes_,
                        .sha256 = digests.sha256,
                        .xxh3 = digests.xxh3,
                        .chunk_count = chunk_count_,
                        .parts = recipe_->parts()};
  recipe_.reset();
  digest_.reset();
  offset_bytes_ = 0;
  chunk_count_ = 0;
  return stream;
}

Result<void> BlockWriter::finish() {
  DRS_RETURN_IF_ERROR(stages_->finish());
  take_published();
  return {};
}

BlockWriter::Totals BlockWriter::totals() const {
  return {.bytes = total_bytes_, .stored_bytes = stages_->workers().stored_bytes(), .packs = stages_->packs().totals()};
}

PushStats BlockWriter::stats() const {
  PushStats stats = stages_->stats();
  stats.wall_ns = static_cast<std::uint64_t>((std::chrono::steady_clock::now() - started_).count());
  return stats;
}

}  // namespace drs
