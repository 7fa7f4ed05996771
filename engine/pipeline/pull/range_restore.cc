#include "engine/pipeline/pull/range_restore.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "codecs/sha256.h"
#include "codecs/xxh3.h"
#include "engine/pipeline/pull/range_emitter.h"
#include "engine/pipeline/pull/restore_buffers.h"
#include "io/helper_thread.h"

namespace drs {
namespace {

// The threads of one range. An error that ends one of them early is reported to `failure`.
class RestoreThreads {
 public:
  explicit RestoreThreads(Failure& failure) : failure_(failure) {}
  ~RestoreThreads() { join(); }
  RestoreThreads(const RestoreThreads&) = delete;
  RestoreThreads& operator=(const RestoreThreads&) = delete;

  void start(std::function<Result<void>()> body) {
    auto thread = start_helper_thread(
        [this, body = std::move(body)] {
          if (auto done = body(); !done.ok()) failure_.fail(std::move(done).error());
        },
        [this](Error thrown) { failure_.fail(std::move(thrown)); });
    if (thread.ok())
      threads_.push_back(*std::move(thread));
    else
      failure_.fail(std::move(thread).error());
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  Failure& failure_;
  std::vector<std::thread> threads_;
};

}  // namespace

// Computes the digests of the whole stream and compares them with its manifest.
class RangeRestore::StreamProof {
 public:
  explicit StreamProof(const ManifestStream& stream) : stream_(stream) {}
  void update(ByteView bytes) {
    bytes_ += bytes.size();
    if (stream_.sha256) sha256_.update(bytes);
    xxh3_.update(bytes);
  }
  Result<void> check() {
    if (bytes_ != stream_.bytes) {
      return differs("length", std::to_string(bytes_), std::to_string(stream_.bytes));
    }
    if (const Xxh3Digest got = xxh3_.finish(); got != stream_.xxh3) {
      return differs("XXH3-128", got.hex(), stream_.xxh3.hex());
    }
    if (!stream_.sha256) return {};
    if (const Digest got = sha256_.finish(); got != *stream_.sha256) {
      return differs("SHA-256", got.hex(), stream_.sha256->hex());
    }
    return {};
  }

 private:
  static Error differs(std::string_view what, const std::string& got, const std::string& expected) {
    return {ErrorCode::kCorrupt,
            "the restored stream has " + std::string(what) + " " + got + ", but its manifest says " + expected};
  }
  const ManifestStream& stream_;
  Sha256 sha256_;
  Xxh3Stream xxh3_;
  std::uint64_t bytes_ = 0;
};

Result<std::unique_ptr<RangeRestore>> RangeRestore::open(Repository& repository, const PullBudget& budget,
                                                         const RunControl& control, Listing listing) {
  std::unique_ptr<RangeRestore> restore(new RangeRestore(repository, budget, control));
  DRS_RETURN_IF_ERROR(restore->open_index(budget.arena, std::move(listing)));
  return restore;
}

Result<void> RangeRestore::open_index(BufferArena& arena, Listing listing) {
  // Loading the index of a large repository takes long: a signal must end it, too.
  const auto cancelling = control_.cancel.on_cancel([this] { failure_.fail({ErrorCode::kCancelled, "cancelled"}); });
  DRS_ASSIGN_OR_RETURN(store_, repository_.store().clone());
  DRS_ASSIGN_OR_RETURN(
      recovery_, BlockRecovery::open(repository_, *store_, failure_, memory_.index_cache_bytes, std::move(listing)));
  sealed_ = arena.carve(memory_.sealed_buffers * kSealedBufferBytes);
  store_->register_memory(sealed_);
  for (std::size_t i = 0; i < memory_.workers; ++i) {
    DRS_ASSIGN_OR_RETURN(Decompressor decompressor, Decompressor::make());
    workers_.push_back({arena.carve(kRestoreScratchBytes), std::move(decompressor)});
  }
  return {};
}

// Decodes sealed blocks into their slots until no more will come.
void RangeRestore::decode(Worker& worker, RestoreSchedule& schedule) const {
  // Most blocks come pack by pack: keep the last pack's opener.
  std::optional<ObjectOpener> opener;
  Salt opener_salt;
  while (RestoreJob* const job = schedule.take_filled()) {
    const BlockRecord& record = job->location->record;
    if (!opener || opener_salt != job->location->salt) {
      opener_salt = job->location->salt;
      opener = ObjectOpener::for_salt(repository_.keys(), ObjectKind::kPack, opener_salt, repository_.crypto());
    }
    const MutableByteView plain = schedule.slot(job->fetch.slot).first(record.raw_bytes);
    auto decoded = decode_block(*opener, record, job->sealed, worker.decompressor, worker.scratch, plain);
    if (decoded.ok())
      schedule.finish(*job, {plain.size()}, {.decoded_bytes = plain.size()});
    else
      schedule.set_failed(*job, std::move(decoded).error().with_context(describe(*job->location)));
  }
}

Result<PullReport> RangeRestore::run(const ManifestStream& stream, const RestoreRange& range, Sink& sink,
                                     HoleMap* holes) {
  const auto cancelling = control_.cancel.on_cancel([this] { failure_.fail({ErrorCode::kCancelled, "cancelled"}); });
  const bool whole = range.begin_bytes == 0 && range.end_bytes == stream.bytes;
  std::optional<StreamProof> proof;
  if (whole) proof.emplace(stream);
  DRS_ASSIGN_OR_RETURN(PullReport report, run_threads(stream, range, sink, holes, whole ? &*proof : nullptr));
  if (holes != nullptr) {
    report.holes = holes->holes().size();
    report.holes_bytes = holes->bytes();
  }
  const bool omitted = holes != nullptr && holes->fill() == HoleFill::kOmitted;
  const std::uint64_t yielded_bytes = report.bytes + (omitted ? report.holes_bytes : 0);
  const std::uint64_t wanted_bytes = range.end_bytes - range.begin_bytes;
  if (yielded_bytes != wanted_bytes)
    return Error(ErrorCode::kCorrupt, "the recipe yields " + std::to_string(yielded_bytes) + " bytes, expected " +
                                          std::to_string(wanted_bytes));
  report.whole = whole && report.holes == 0;
  if (report.whole) DRS_RETURN_IF_ERROR(proof->check());
  return report;
}

// Starts the other threads, emits on this one, and waits for the others. `holes` and `proof` may be null.
Result<PullReport> RangeRestore::run_threads(const ManifestStream& stream, const RestoreRange& range, Sink& sink,
                                             HoleMap* holes, StreamProof* proof) {
  using Followers = RestoreSchedule::Followers;
  RestoreSchedule schedule(slots_, memory_.block_buffers,
                           proof != nullptr ? Followers::kEmitterAndDigester : Followers::kEmitter);
  const auto stopping = failure_.on_failure([&schedule] { schedule.stop(); });
  RestoreFetcher fetcher(
      stream.parts,
      {.range = range,
       .losses = holes != nullptr ? RestoreFetcher::Losses::kLeaveHoles : RestoreFetcher::Losses::kEndTheRun,
       .planner = {.slots = static_cast<std::uint32_t>(memory_.block_buffers),
                   .read_ahead = static_cast<std::uint32_t>(memory_.read_ahead)},
       .sealed = sealed_},
      *store_, *recovery_, schedule, control_.progress);
  RangeEmitter emitter(sink, holes, schedule, control_.progress);
  RestoreThreads threads(failure_);
  threads.start([&] { return fetcher.run(); });
  for (Worker& worker : workers_)
    threads.start([&]() -> Result<void> {
      decode(worker, schedule);
      return {};
    });
  if (proof != nullptr)
    threads.start([&] {
      return schedule.follow(RestoreSchedule::Follower::kDigester, [&](const RestoredPiece& piece) -> Result<void> {
        if (!piece.loss) proof->update(piece.bytes);
        return {};
      });
    });
  failure_.guard([&] {
    auto emitted = schedule.follow(RestoreSchedule::Follower::kEmitter,
                                   [&](const RestoredPiece& piece) { return emitter.emit(piece); });
    if (!emitted.ok()) failure_.fail(std::move(emitted).error());
  });
  threads.join();
  lost_ = emitter.lost() ? emitter.lost() : fetcher.lost();
  DRS_RETURN_IF_ERROR(failure_.result());
  const RestoreTotals totals = schedule.totals();
  PullReport report;
  report.bytes = emitter.written_bytes();
  report.decoded_bytes = totals.decoded_bytes;
  report.read_bytes = totals.read_bytes + fetcher.read_bytes();
  report.healed_blocks = totals.healed_blocks;
  return report;
}

}  // namespace drs
