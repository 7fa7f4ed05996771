#include "engine/pipeline/push/stream_pass.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "codecs/chunker.h"
#include "engine/pipeline/push/push_stages.h"
#include "engine/pipeline/push/reused_objects.h"
#include "engine/pipeline/push/stream_reader.h"

namespace drs {
namespace {

constexpr std::size_t kTrailerBytes = 64 * kKiB;

// The stages above PushStages: reading and cutting, the digests of the stream, deduplication.
class Pass {
 public:
  Pass(const StreamPassInput& input, PushStages& stages)
      : in_(input),
        stages_(stages),
        segments_(input.budget.arena.carve(input.budget.memory.segments * kSegmentBytes), kSegmentBytes,
                  input.budget.memory.segments),
        chunker_(input.repository.config().chunks, input.repository.keys().chunk_cut()),
        reused_(input.known.index()),
        deduplicator_(input.session.id(), input.known, stages, input.secures ? &reused_ : nullptr, input.progress,
                      input.options.recipe),
        reader_(input.source, chunker_, segments_, stages.failure(), stages.meter(),
                input.options.gates.trailer_pattern.empty() ? 0 : kTrailerBytes),
        digest_(input.options.stream_sha256, stages.failure(), stages.meter()),
        closing_(stages.failure().on_failure([this] {
          in_.source.cancel();
          segments_.close();
        })) {}
  // The workers use the members of this object until they end.
  ~Pass() { stages_.stop(); }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  Result<StreamPass> run();

 private:
  Result<ProducerProof> read_to_end();
  Result<void> store_all();
  [[nodiscard]] PushStats stats() const;
  // Returns the first error, which is the cause: a cancelled read, for instance, only follows from another failure.
  Error first(Error error) {
    stages_.failure().fail(std::move(error));
    return stages_.failure().result().error();
  }

  const StreamPassInput& in_;
  PushStages& stages_;
  BufferPool segments_;
  const Chunker chunker_;
  ReusedObjects reused_;
  Deduplicator deduplicator_;
  StreamReader reader_;
  StreamDigest digest_;
  const CancelToken::Registration closing_;
};

// Errors: the source's, or the first failure of another stage.
Result<ProducerProof> Pass::read_to_end() {
  const auto read = reader_.run([&](std::shared_ptr<Segment> segment) {
    digest_.add(segment);
    stages_.workers().add(std::move(segment));
    if (auto beat = in_.session.heartbeat_result(); !beat.ok()) stages_.failure().fail(std::move(beat).error());
  });
  if (!read.ok()) return first(read.error());
  // The producer's proof first: without it nothing more needs to be written.
  auto proof = in_.source.conclude();
  if (!proof.ok()) return first(std::move(proof).error());
  return proof;
}

Result<void> Pass::store_all() {
  DRS_RETURN_IF_ERROR(stages_.workers().wait_ordered());
  if (auto finished = deduplicator_.finish(); !finished.ok()) return first(std::move(finished).error());
  return stages_.finish();
}

PushStats Pass::stats() const {
  PushStats stats = stages_.stats();
  // A read from a pipe is a copy, too.
  stats.copied_bytes = reader_.copied_bytes() + deduplicator_.totals().copied_bytes;
  stats.segments = segments_.count();
  stats.segments_free_min = segments_.free_count_min();
  return stats;
}

Result<StreamPass> Pass::run() {
  DRS_RETURN_IF_ERROR(
      stages_.start([this](const std::shared_ptr<Segment>& segment) { return deduplicator_.add(segment); }));
  DRS_RETURN_IF_ERROR(digest_.start());
  StreamPass pass;
  const auto started = std::chrono::steady_clock::now();
  DRS_ASSIGN_OR_RETURN(pass.proof, read_to_end());
  DRS_RETURN_IF_ERROR(store_all());
  if (in_.secures) {
    deduplicator_.finish_packs();
    const bool long_ago = in_.repository.clock().steady() - in_.session.begun() > kSecuredFor;
    const bool may_have_expired = in_.repository.store().locks() && long_ago;
    pass.relies_on = may_have_expired ? reused_.names_with_own() : reused_.names();
  }
  pass.digests = digest_.finish();
  DRS_RETURN_IF_ERROR(stages_.failure().result());
  pass.totals = deduplicator_.totals();
  pass.parts = deduplicator_.parts();
  pass.packs = stages_.packs().totals();
  pass.stored_bytes = stages_.workers().stored_bytes();
  pass.stats = stats();
  pass.stats.wall_ns = static_cast<std::uint64_t>((std::chrono::steady_clock::now() - started).count());
  pass.tail.assign(reader_.tail().begin(), reader_.tail().end());
  if (reader_.bytes() != pass.totals.bytes)
    return Error(ErrorCode::kInternal, "read " + std::to_string(reader_.bytes()) + " bytes, but the recipe holds " +
                                           std::to_string(pass.totals.bytes));
  return pass;
}

}  // namespace

Result<StreamPass> pass_over(const StreamPassInput& input) {
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<PushStages> stages,
                       PushStages::make(input.repository, input.budget, input.progress,
                                        {.session = input.session.id(),
                                         .compression = input.options.compression,
                                         .read_back = input.options.read_back}));
  return Pass(input, *stages).run();
}

}  // namespace drs
