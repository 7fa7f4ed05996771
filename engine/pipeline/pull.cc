#include "engine/pipeline/pull.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "codecs/sha256.h"
#include "codecs/xxh3.h"
#include "engine/pipeline/block_rescue.h"
#include "engine/pipeline/failure.h"
#include "engine/pipeline/restore_board.h"
#include "engine/pipeline/restore_buffers.h"
#include "engine/pipeline/restore_fetcher.h"
#include "io/helper_thread.h"

namespace drs {
namespace {

// Decodes sealed blocks into their slots.
class RestoreWorker {
 public:
  RestoreWorker(const Repository& repository, RestoreBoard& board, MutableByteView scratch, Decompressor decompressor)
      : repository_(repository), board_(board), scratch_(scratch), decompressor_(std::move(decompressor)) {}

  void run() {
    while (RestoreJob* const job = board_.take_filled()) {
      const BlockRecord& record = job->location->record;
      const MutableByteView plain = board_.slot(job->fetch.slot).first(record.raw_bytes);
      auto decoded = decode_block(opener(job->location->salt), record, job->sealed, decompressor_, scratch_, plain);
      if (decoded.ok()) {
        board_.finish(*job, plain.size(), {.decoded_bytes = plain.size()});
      } else {
        board_.set_failed(*job, std::move(decoded).error().with_context(describe(*job->location)));
      }
    }
  }

 private:
  // Blocks mostly come pack by pack.
  const ObjectOpener& opener(const Salt& salt) {
    if (!opener_ || opener_salt_ != salt) {
      opener_ = ObjectOpener::for_salt(repository_.keys(), ObjectKind::kPack, salt, repository_.crypto());
      opener_salt_ = salt;
    }
    return *opener_;
  }

  const Repository& repository_;
  RestoreBoard& board_;
  const MutableByteView scratch_;
  Decompressor decompressor_;
  std::optional<ObjectOpener> opener_;
  Salt opener_salt_;
};

// The digests of the whole stream, compared with its manifest at the end.
class StreamProof {
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

Result<RestoreRange> range_of(const ManifestHeader& manifest, const PullOptions& options) {
  DRS_RETURN_IF_ERROR(require_bytes(manifest));
  const auto outside = [&](const std::string& asked) {
    return Error{ErrorCode::kUsage, asked + ", but the stream has " + std::to_string(manifest.bytes) + " bytes"};
  };
  if (options.offset_bytes > manifest.bytes) {
    return outside("the range begins at " + std::to_string(options.offset_bytes));
  }
  const std::uint64_t rest_bytes = manifest.bytes - options.offset_bytes;
  if (options.length_bytes.value_or(rest_bytes) > rest_bytes) {
    return outside("the range is " + std::to_string(*options.length_bytes) + " bytes from " +
                   std::to_string(options.offset_bytes));
  }
  return RestoreRange{options.offset_bytes, options.offset_bytes + options.length_bytes.value_or(rest_bytes)};
}

// Starts everything, emits on this thread, and waits for all others. `proof` may be null.
Result<PullReport> run_threads(Repository& repository, const ManifestStream& stream, const RestoreRange& range,
                               Sink& sink, StreamProof* proof, const PullMemory& memory, BufferArena& arena,
                               ProgressCounters& progress, RestoreBoard& board, Failure& failure) {
  DRS_ASSIGN_OR_RETURN(const auto store, repository.store().another());
  DRS_ASSIGN_OR_RETURN(const auto rescue, BlockRescue::open(repository, *store, failure, memory.index_cache_bytes));

  const MutableByteView sealed = arena.carve(memory.sealed_buffers * kSealedBufferBytes);
  store->register_memory(sealed);
  std::vector<RestoreWorker> workers;
  workers.reserve(memory.workers);
  for (std::size_t i = 0; i < memory.workers; ++i) {
    DRS_ASSIGN_OR_RETURN(Decompressor decompressor, Decompressor::make());
    workers.emplace_back(repository, board, arena.carve(kRestoreScratchBytes), std::move(decompressor));
  }
  RestoreFetcher fetcher(stream.parts,
                         {.range = range,
                          .planner = {.slots = static_cast<std::uint32_t>(memory.block_buffers),
                                      .read_ahead = static_cast<std::uint32_t>(memory.read_ahead)}},
                         *store, *rescue, board, sealed, progress);

  std::vector<std::thread> threads;
  threads.reserve(workers.size() + 2);
  const auto start = [&](std::function<void()> body) {
    auto thread = start_helper_thread(std::move(body), [&failure](Error thrown) { failure.fail(std::move(thrown)); });
    if (thread.ok()) {
      threads.push_back(*std::move(thread));
    } else {
      failure.fail(std::move(thread).error());
    }
  };
  const auto run = [&failure](Result<void> result) {
    if (!result.ok()) failure.fail(std::move(result).error());
  };
  start([&] { run(fetcher.run()); });
  for (RestoreWorker& worker : workers) start([&worker] { worker.run(); });
  if (proof != nullptr) {
    start([&] {
      run(board.follow(RestoreBoard::Follower::kDigester, [&](ByteView bytes) -> Result<void> {
        proof->update(bytes);
        return {};
      }));
    });
  }
  PullReport report;
  failure.guard([&] {
    run(board.follow(RestoreBoard::Follower::kEmitter, [&](ByteView bytes) -> Result<void> {
      DRS_RETURN_IF_ERROR(sink.write(bytes));
      report.bytes += bytes.size();
      progress.bytes += bytes.size();
      return {};
    }));
  });
  for (std::thread& thread : threads) thread.join();
  DRS_RETURN_IF_ERROR(failure.result());

  const RestoreTotals totals = board.totals();
  report.decoded_bytes = totals.decoded_bytes;
  report.read_bytes = totals.read_bytes + fetcher.read_bytes();
  report.healed_blocks = totals.healed_blocks;
  return report;
}

Result<PullReport> pull_and_check(Repository& repository, const ManifestStream& stream, const RestoreRange& range,
                                  Sink& sink, const PullMemory& memory, BufferArena& arena, ProgressCounters& progress,
                                  RestoreBoard& board, Failure& failure) {
  const bool whole = range.begin_bytes == 0 && range.end_bytes == stream.bytes;
  std::optional<StreamProof> proof;
  if (whole) proof.emplace(stream);
  DRS_ASSIGN_OR_RETURN(PullReport report, run_threads(repository, stream, range, sink, whole ? &*proof : nullptr,
                                                      memory, arena, progress, board, failure));
  if (report.bytes != range.end_bytes - range.begin_bytes) {
    return Error{ErrorCode::kCorrupt, "the recipe yields " + std::to_string(report.bytes) + " bytes instead of " +
                                          std::to_string(range.end_bytes - range.begin_bytes)};
  }
  if (whole) DRS_RETURN_IF_ERROR(proof->check());
  report.whole = whole;
  return report;
}

}  // namespace

Result<PullReport> pull(Repository& repository, const Snapshot& snapshot, Sink& sink, const PullOptions& options,
                        const PullMemory& memory, BufferArena& arena, ProgressCounters& progress, CancelToken& cancel) {
  const auto started = repository.clock().steady();
  const auto range = range_of(snapshot.manifest, options);
  if (!range.ok()) {
    sink.abandon();
    return range.error();
  }
  const auto manifest = read_manifest(repository, repository.store(), snapshot);
  if (!manifest.ok()) {
    sink.abandon();
    return manifest.error();
  }
  const ManifestStream& stream = manifest->streams.front();
  progress.total_bytes = range->end_bytes - range->begin_bytes;

  const bool whole = range->begin_bytes == 0 && range->end_bytes == stream.bytes;
  RestoreBoard board(arena.carve(memory.block_buffers * kBlockBytesMax), memory.block_buffers, whole);
  Failure failure([&board] { board.stop(); });
  bool committing = false;
  auto report = [&]() -> Result<PullReport> {
    const auto registration = cancel.on_cancel([&] {
      failure.fail({ErrorCode::kCancelled, "cancelled"});
      sink.cancel();
    });
    DRS_ASSIGN_OR_RETURN(PullReport done,
                         pull_and_check(repository, stream, *range, sink, memory, arena, progress, board, failure));
    if (cancel.cancelled()) return Error{ErrorCode::kCancelled, "cancelled"};
    committing = true;
    DRS_RETURN_IF_ERROR(sink.commit());
    return done;
  }();
  if (!report.ok()) {
    if (!committing) sink.abandon();
    return std::move(report).error().with_context("snapshot " + snapshot.id() + " of " + snapshot.manifest.stream);
  }
  report->seconds = std::chrono::duration<double>(repository.clock().steady() - started).count();
  return report;
}

}  // namespace drs
