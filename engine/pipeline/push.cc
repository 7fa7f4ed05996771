#include "engine/pipeline/push.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "engine/format/manifest_texts.h"
#include "engine/format/names.h"
#include "engine/pipeline/deduplicator.h"
#include "engine/pipeline/push_session.h"
#include "engine/pipeline/push_workers.h"
#include "engine/pipeline/reused_objects.h"
#include "engine/pipeline/stream_digest.h"
#include "engine/pipeline/stream_reader.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/snapshot_selection.h"
#include "io/error_class.h"

namespace drs {
namespace {

constexpr std::size_t kTrailerBytes = 64 * kKiB;

ProducerKind producer_kind(ProducerProof::Kind kind) {
  switch (kind) {
    case ProducerProof::Kind::kExitStatus: return ProducerKind::kExitStatus;
    case ProducerProof::Kind::kFileEnd: return ProducerKind::kFileEnd;
    case ProducerProof::Kind::kUnseen: break;
  }
  return ProducerKind::kUnseen;
}

// Cancels the source however the push ends early, so that nothing it does blocks us or lives on.
class SourceGuard {
 public:
  explicit SourceGuard(Source& source) : source_(&source) {}
  ~SourceGuard() {
    if (source_ != nullptr) source_->cancel();
  }
  SourceGuard(const SourceGuard&) = delete;
  SourceGuard& operator=(const SourceGuard&) = delete;
  void release() { source_ = nullptr; }

 private:
  Source* source_;
};

// The failure's callback must not outlive what it wakes.
class SilenceAtEnd {
 public:
  explicit SilenceAtEnd(Failure& failure) : failure_(failure) {}
  ~SilenceAtEnd() { failure_.silence(); }
  SilenceAtEnd(const SilenceAtEnd&) = delete;
  SilenceAtEnd& operator=(const SilenceAtEnd&) = delete;

 private:
  Failure& failure_;
};

// What one pass over the stream leaves to be committed.
struct Pass {
  StreamDigest::Digests digests;
  Deduplicator::Totals totals;
  std::vector<RecipePartRef> parts;
  PackWriter::Totals packs;
  std::uint64_t stored_bytes = 0;
  PushStats stats;
  ProducerProof proof;
  Bytes tail;
  std::vector<ObjectKey> to_secure;
};

// What the repository holds already, as a push looks for it.
struct KnownBlocks {
  std::unique_ptr<BlockIndex> index;
  std::unique_ptr<BlockReader> reader;
  std::unique_ptr<DedupIndex> dedup;
};

struct KnownBlocksOptions {
  Uuid session;
  const PushMemory& memory;
  const Snapshot* previous = nullptr;
};

Result<KnownBlocks> load_known_blocks_once(Repository& repository, ObjectStore& store,
                                           const KnownBlocksOptions& options, const PackCatalog& catalog,
                                           SessionBlocks& session_blocks, std::vector<std::string>& warnings) {
  KnownBlocks known;
  DRS_ASSIGN_OR_RETURN(known.index, BlockIndex::load(repository, store, catalog, {options.memory.index_cache_bytes}));
  for (const BlockIndex::Problem& problem : known.index->problems()) {
    // Where no index object can be listed, none can be stored: told before the source is read.
    if (problem.object == name_prefix(ObjectKind::kIndex)) return problem.error;
    warnings.push_back(problem.object + ": " + problem.error.message +
                       "; run `drstream verify`, then `drstream repair index`");
  }
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, store));
  known.reader = std::make_unique<BlockReader>(std::move(reader));
  PreviousRecipe recipe;
  if (options.previous != nullptr) {
    const auto manifest = read_manifest(repository, store, *options.previous);
    if (!manifest.ok() && !is_object_fault(manifest.error())) return manifest.error();
    if (!manifest.ok()) {
      warnings.push_back(manifest.error().message +
                         "; this push stores again what it cannot find elsewhere; run `drstream verify`");
    } else {
      // 64 bytes for each block remembered.
      DRS_ASSIGN_OR_RETURN(recipe, PreviousRecipe::load(manifest->streams.front(), *known.index, *known.reader,
                                                        options.memory.index_cache_bytes / 64, warnings));
    }
  }
  DedupIndex::Options dedup_options;
  dedup_options.table_bytes = options.memory.index_table_bytes;
  DRS_ASSIGN_OR_RETURN(known.dedup, DedupIndex::make(*known.index, *known.reader, session_blocks, options.session,
                                                     std::move(recipe), dedup_options, warnings));
  return known;
}

// What vanished while it was loaded was replaced by a repair, or deleted by a prune: listed again, `catalog` too. Where
// it vanishes each time the push goes on with what it has.
Result<KnownBlocks> load_known_blocks(Repository& repository, ObjectStore& store, const KnownBlocksOptions& options,
                                      PackCatalog& catalog, SessionBlocks& session_blocks,
                                      std::vector<std::string>& warnings) {
  constexpr int kAttempts = 5;
  const std::size_t warnings_before = warnings.size();
  for (int attempt = 1;; ++attempt) {
    DRS_ASSIGN_OR_RETURN(KnownBlocks known,
                         load_known_blocks_once(repository, store, options, catalog, session_blocks, warnings));
    if (!known.index->vanished() || attempt == kAttempts) return known;
    warnings.resize(warnings_before);
    known = {};
    DRS_ASSIGN_OR_RETURN(catalog, PackCatalog::load(repository));
  }
}

Result<Pass> run_stages(Repository& repository, Source& source, const PushOptions& options, const PushMemory& memory,
                        BufferArena& arena, PushSession& session, PackCatalog& catalog, const Snapshot* previous,
                        ProgressCounters& progress, std::vector<std::string>& warnings) {
  // The store's thread has an instance of its own, and so has the index: one for big writes, one for small reads.
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<ObjectStore> pack_store, repository.store().another());
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectStore> index_store, repository.store().another());
  SessionBlocks session_blocks;
  DRS_ASSIGN_OR_RETURN(
      const KnownBlocks known,
      load_known_blocks(repository, *index_store, {session.id(), memory, previous}, catalog, session_blocks, warnings));
  const std::unique_ptr<BlockIndex>& index = known.index;
  const std::unique_ptr<DedupIndex>& dedup = known.dedup;

  BufferPool segments(arena.carve(memory.segments * kSegmentBytes), kSegmentBytes, memory.segments);
  BufferPool gather_buffers(arena.carve(memory.gather_buffers * kBlockBytesMax), kBlockBytesMax, memory.gather_buffers);
  const MutableByteView pack_memory = arena.carve(memory.pack_buffers * memory.pack_slot_bytes);
  BufferPool pack_buffers(pack_memory, memory.pack_slot_bytes, memory.pack_buffers);

  PackWriter* packs_to_wake = nullptr;
  PushWorkers* workers_to_wake = nullptr;
  Failure failure([&] {
    source.cancel();
    segments.close();
    gather_buffers.close();
    pack_buffers.close();
    if (packs_to_wake != nullptr) packs_to_wake->wake();
    if (workers_to_wake != nullptr) workers_to_wake->wake();
  });

  PackWriter::Options pack_options;
  pack_options.pack_bytes_target = memory.pack_bytes_target;
  pack_options.pack_memory = pack_memory;
  PushMeter meter;
  PackWriter packs(repository, std::move(pack_store), pack_buffers, failure, meter, pack_options);
  ReusedObjects reused(*index);
  Deduplicator deduplicator(session.id(), *dedup, *index, catalog, session_blocks, packs, workers_to_wake, progress,
                            index_store->secures() ? &reused : nullptr, options.recipe);
  std::vector<BlockSealer> sealers;
  for (std::size_t i = 0; i < memory.workers; ++i) {
    DRS_ASSIGN_OR_RETURN(BlockSealer sealer, BlockSealer::make(options.compression, options.read_back, session.id(),
                                                               packs, meter, arena.carve(memory.worker_scratch_bytes)));
    sealers.push_back(std::move(sealer));
  }
  packs_to_wake = &packs;
  PushWorkers workers(
      std::move(sealers), repository.keys().chunk_id(), repository.crypto(), gather_buffers,
      [&](const std::shared_ptr<Segment>& segment) { return deduplicator.add(segment); }, failure, progress, meter);
  workers_to_wake = &workers;
  const SilenceAtEnd silence(failure);
  DRS_RETURN_IF_ERROR(packs.start());
  DRS_RETURN_IF_ERROR(workers.start());

  const Chunker chunker(repository.config().chunks, repository.keys().chunk_cut());
  StreamReader stream(source, chunker, segments, failure, meter,
                      options.gates.trailer_pattern.empty() ? 0 : kTrailerBytes);
  StreamDigest digest(options.stream_sha256, failure, meter);
  DRS_RETURN_IF_ERROR(digest.start());
  Pass pass;
  const auto started = std::chrono::steady_clock::now();
  const auto read = stream.run([&](std::shared_ptr<Segment> segment) {
    digest.add(segment);
    workers.add(std::move(segment));
    if (auto beat = session.heartbeat_result(); !beat.ok()) failure.fail(std::move(beat).error());
  });
  // The first error is the one that counts: a read is cancelled because something else failed.
  const auto give_up = [&](Error error) -> Error {
    failure.fail(std::move(error));
    return failure.result().error();
  };
  if (!read.ok()) return give_up(read.error());
  // The producer's word first: while it is still in doubt nothing more needs to be written.
  auto proof = source.conclude();
  if (!proof.ok()) return give_up(std::move(proof).error());
  pass.proof = *std::move(proof);
  DRS_RETURN_IF_ERROR(workers.wait_ordered());
  if (auto finished = deduplicator.finish(); !finished.ok()) return give_up(std::move(finished).error());
  DRS_RETURN_IF_ERROR(workers.wait_sealed());
  DRS_RETURN_IF_ERROR(packs.flush());
  if (index_store->secures()) {
    deduplicator.finish_packs();
    pass.to_secure = reused.names(index_store->locks() && repository.clock().steady() - session.begun() > kSecuredFor);
  }
  pass.digests = digest.finish();
  DRS_RETURN_IF_ERROR(failure.result());
  pass.totals = deduplicator.totals();
  pass.parts = deduplicator.parts();
  pass.packs = packs.totals();
  pass.stored_bytes = workers.stored_bytes();
  pass.stats = meter.totals();
  pass.stats.wall_ns = static_cast<std::uint64_t>((std::chrono::steady_clock::now() - started).count());
  pass.stats.workers = workers.thread_count();
  pass.stats.cores = std::max(1U, std::thread::hardware_concurrency());
  // The pipe's read is a copy too.
  pass.stats.copied_bytes = stream.copied_bytes() + pass.totals.copied_bytes;
  pass.stats.segments = segments.count();
  pass.stats.segments_free_min = segments.free_count_min();
  pass.stats.pack_buffers = pack_buffers.count();
  pass.stats.pack_buffers_free_min = pack_buffers.free_count_min();
  pass.tail.assign(stream.tail().begin(), stream.tail().end());
  if (stream.bytes() != pass.totals.bytes)
    return Error(ErrorCode::kInternal, "read " + std::to_string(stream.bytes()) + " bytes, but the recipe holds " +
                                           std::to_string(pass.totals.bytes));
  return pass;
}

// A copy arrives whole or not at all; the digests here are of the bytes that the blocks were made of.
Result<void> check_same_stream(const Pass& pass, const ManifestHeader& original) {
  if (pass.totals.bytes == original.bytes && pass.digests.xxh3 == original.xxh3 &&
      (!original.sha256 || pass.digests.sha256 == original.sha256))
    return {};
  return Error(ErrorCode::kInternal, "the stream that was stored is not the snapshot that was to be copied (" +
                                         std::to_string(pass.totals.bytes) + " bytes, expected " +
                                         std::to_string(original.bytes) +
                                         "): this machine's memory or processor is faulty, or drstream is");
}

// Where the new snapshot becomes the latest of its stream, though another has a later time.
std::optional<std::string> later_time_warning(const SnapshotCatalog& catalog, const ManifestHeader& manifest) {
  if (has_time_of_a_clock(manifest)) return std::nullopt;
  const DatedSnapshot last = last_by_time(catalog, manifest.stream);
  if (last.snapshot == nullptr || last.made_ns <= manifest.snapshot_ns) return std::nullopt;
  return "snapshot " + manifest.session.hex() + " is now the latest of stream " + manifest.stream + ", though " +
         last.snapshot->id() + " has a later time: `drstream pull " + manifest.stream +
         "` gives what was pushed last, `drstream pull " + last.snapshot->id() + "` the other";
}

}  // namespace

Result<void> validate(const PushOptions& options) {
  DRS_RETURN_IF_ERROR(check_stream_name_bytes(options.stream));
  const std::size_t left_for_anomalies = options.original == nullptr ? kAnomalyTagBytesMax : 0;
  DRS_RETURN_IF_ERROR(check_tags_bytes(options.tags, kManifestTagsBytesMax - left_for_anomalies));
  return validate(options.gates);
}

Result<PushReport> push(Repository& repository, Source& source, const PushOptions& options, const PushMemory& memory,
                        BufferArena& arena, ProgressCounters& progress, CancelToken& cancel) {
  SourceGuard guard(source);
  const auto started = repository.clock().steady();
  const auto cancelling = cancel.on_cancel([&source] { source.cancel(); });
  DRS_RETURN_IF_ERROR(validate(options));
  PushReport report;
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<PushSession> session,
                       PushSession::begin(repository, repository.store(),
                                          {.stream = options.stream, .host = options.host}, options.heartbeats));
  // After the session's record, and in this order (docs/DESIGN.md "Write order").
  constexpr std::array kListedFirst = {ObjectKind::kManifest, ObjectKind::kCondemned};
  constexpr std::array kListedThen = {ObjectKind::kRemoved, ObjectKind::kIndex};
  DRS_RETURN_IF_ERROR(repository.list_ahead(kListedFirst));
  DRS_ASSIGN_OR_RETURN(PackCatalog catalog,
                       PackCatalog::load(repository, PackCatalog::UnreadableCondemned::kDistrust, kListedThen));
  for (const CondemnedList::Unreadable& record : catalog.unreadable_condemned())
    report.warnings.push_back(record.warning());
  if (auto warning = catalog.marks_warning()) report.warnings.push_back(*std::move(warning));
  // Now already: that a bucket cannot lock objects is told before the stream is read.
  if (repository.store().locks()) DRS_RETURN_IF_ERROR(secure_for_commit(repository.store(), {}));
  DRS_ASSIGN_OR_RETURN(SnapshotCatalog snapshots, load_snapshots(repository, options.stream));
  for (std::size_t i = 0; i < snapshots.broken.size(); ++i) {
    const BrokenManifest& broken = snapshots.broken[i];
    // Its sequence number cannot be told, so what we would make might look older than it.
    if (broken.error.code == ErrorCode::kFormatTooNew) return broken.error.with_context(broken.name);
    if (i < kBrokenManifestsNamedMax)
      report.warnings.push_back(broken.name + ": " + broken.error.message + "; run `drstream verify`");
  }
  if (snapshots.broken.size() > kBrokenManifestsNamedMax)
    report.warnings.push_back(std::to_string(snapshots.broken.size()) +
                              " manifests and removal marks of this stream cannot be read; not all are named");
  NextSnapshot next = snapshots.next(options.stream);
  next.sequence = std::max(next.sequence, std::min(options.sequence_seen, kManifestSequenceMax) + 1);
  const Snapshot* const previous = next.predecessor;
  if (previous != nullptr && previous->manifest.content != ManifestContent::kBytes)
    return Error(ErrorCode::kUsage, "the stream " + options.stream + " is an archive of " +
                                        std::string(content_name(previous->manifest.content)) +
                                        ": push to a stream of another name");
  if (previous != nullptr) progress.guessed_bytes = previous->manifest.bytes;
  if (next.sequence > kManifestSequenceMax)
    return Error(ErrorCode::kUsage, "the stream " + options.stream + " has used up its sequence numbers: the next is " +
                                        std::to_string(next.sequence) + ", the highest allowed is " +
                                        std::to_string(kManifestSequenceMax) + ": push to a stream of another name");

  DRS_ASSIGN_OR_RETURN(const Pass pass, run_stages(repository, source, options, memory, arena, *session, catalog,
                                                   previous, progress, report.warnings));
  if (cancel.cancelled()) return Error(ErrorCode::kCancelled, "the push was cancelled");
  if (options.original != nullptr) DRS_RETURN_IF_ERROR(check_same_stream(pass, *options.original));
  report.anomalies = check_gates(options.gates, pass.totals.bytes, pass.tail, previous);
  if (!report.anomalies.empty() && !options.gates.tag_anomalies) {
    std::string text;
    for (const std::string& anomaly : report.anomalies) text += (text.empty() ? "" : "; ") + anomaly;
    // An empty stream is a source that gave nothing, whatever limits it misses besides.
    const bool empty = pass.totals.bytes == 0 && !options.gates.allow_empty;
    return Error(empty ? ErrorCode::kSource : ErrorCode::kLimitMissed, text);
  }

  Manifest& manifest = report.manifest;
  manifest.stream = options.stream;
  manifest.session = session->id();
  manifest.sequence = next.sequence;
  manifest.unreadable = std::move(next.unreadable);
  if (previous != nullptr) {
    manifest.predecessor_name = previous->name;
    manifest.predecessor_digest = previous->digest;
  }
  manifest.started_ns = session->started_ns();
  manifest.snapshot_ns = options.snapshot_ns.value_or(manifest.started_ns);
  if (auto warning = later_time_warning(snapshots, manifest)) report.warnings.push_back(*std::move(warning));
  manifest.finished_ns = repository.clock().wall_ns();
  manifest.host = keep_beginning(options.host, kManifestHostBytesMax);
  manifest.tool_version = keep_beginning(options.tool_version, kManifestToolBytesMax);
  manifest.config_digest = repository.config_digest();
  manifest.producer = producer_kind(pass.proof.kind);
  manifest.command = pass.proof.command;
  manifest.exit_status = pass.proof.exit_status;
  manifest.stderr_tail = pass.proof.stderr_tail;
  if (options.original != nullptr) {
    manifest.producer = options.original->producer;
    manifest.command = options.original->command;
    manifest.exit_status = options.original->exit_status;
    manifest.stderr_tail = options.original->stderr_tail;
    manifest.trailer_pattern = options.original->trailer_pattern;
  }
  manifest.command = keep_beginning(std::move(manifest.command), kManifestCommandBytesMax);
  manifest.stderr_tail = keep_end(std::move(manifest.stderr_tail), kManifestStderrBytesMax);
  const bool trailer_missed = !report.anomalies.empty() && !options.gates.trailer_pattern.empty();
  if (!trailer_missed && !options.gates.trailer_pattern.empty())
    manifest.trailer_pattern = options.gates.trailer_pattern;
  manifest.set_stream({.label = {},
                       .session = session->id(),
                       .bytes = pass.totals.bytes,
                       .sha256 = pass.digests.sha256,
                       .xxh3 = pass.digests.xxh3,
                       .chunk_count = pass.totals.chunks,
                       .parts = pass.parts});
  manifest.new_bytes = pass.totals.new_bytes;
  manifest.stored_bytes = pass.stored_bytes;
  manifest.tags = options.tags;
  for (const std::string& anomaly : report.anomalies) {
    std::string& tag = manifest.tags["anomaly"];
    tag += (tag.empty() ? "" : "; ") + anomaly;
    tag = keep_beginning(std::move(tag), kAnomalyTagBytesMax);
  }

  // Before the manifest: a snapshot that exists is durable and locked as a whole.
  DRS_RETURN_IF_ERROR(secure_for_commit(repository.store(), pass.to_secure));
  DRS_ASSIGN_OR_RETURN(auto committed, session->commit(manifest));
  report.manifest_name = std::move(committed.first);
  report.manifest_digest = committed.second;
  report.packs = pass.packs.packs;
  report.packs_bytes = pass.packs.packs_bytes;
  report.rewritten_bytes = pass.totals.rewritten_bytes;
  report.stats = pass.stats;
  report.seconds = std::chrono::duration<double>(repository.clock().steady() - started).count();
  report.snapshots_before = std::move(snapshots);
  guard.release();
  return report;
}

}  // namespace drs
