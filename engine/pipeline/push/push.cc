#include "engine/pipeline/push/push.h"

#include <chrono>
#include <memory>
#include <utility>

#include "engine/format/manifest_texts.h"
#include "engine/pipeline/push/known_blocks.h"
#include "engine/pipeline/push/snapshot_commit.h"
#include "engine/pipeline/push/stream_pass.h"

namespace drs {
namespace {

ProducerKind producer_kind(ProducerProof::Kind kind) {
  switch (kind) {
    case ProducerProof::Kind::kExitStatus: return ProducerKind::kExitStatus;
    case ProducerProof::Kind::kFileEnd: return ProducerKind::kFileEnd;
    case ProducerProof::Kind::kUnseen: break;
  }
  return ProducerKind::kUnseen;
}

// Cancels the source if the push ends early, on every path, so that it neither blocks us nor keeps running.
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

// Checks that a copied stream equals the original. The digests are those of the bytes from which blocks were built.
// Errors: kInternal.
Result<void> check_same_stream(const StreamPass& pass, const ManifestHeader& original) {
  if (pass.totals.bytes == original.bytes && pass.digests.xxh3 == original.xxh3 &&
      (!original.sha256 || pass.digests.sha256 == original.sha256))
    return {};
  return Error(ErrorCode::kInternal, "the stored stream differs in length or digest from the snapshot being copied (" +
                                         std::to_string(pass.totals.bytes) + " bytes, expected " +
                                         std::to_string(original.bytes) +
                                         "): this machine's memory or processor is faulty, or drstream has a bug");
}

// Returns the anomalies with which the snapshot is committed nevertheless. Errors: kSource (empty), kLimitMissed.
Result<std::vector<std::string>> pass_gates(const StreamPass& pass, const PushGates& gates, const Snapshot* reference) {
  std::vector<std::string> anomalies = check_gates(gates, pass.totals.bytes, pass.tail, reference);
  if (anomalies.empty() || gates.tag_anomalies) return anomalies;
  std::string text;
  for (const std::string& anomaly : anomalies) text += (text.empty() ? "" : "; ") + anomaly;
  // An empty stream is a failure of the source, even if it misses other limits too.
  const bool empty = pass.totals.bytes == 0 && !gates.allow_empty;
  return Error(empty ? ErrorCode::kSource : ErrorCode::kLimitMissed, text);
}

// Records the producer's proof: that of this run, or that of the copied snapshot.
void set_producer(Manifest& manifest, const ProducerProof& proof, const PushOptions& options) {
  manifest.producer = producer_kind(proof.kind);
  manifest.command = proof.command;
  manifest.exit_status = proof.exit_status;
  manifest.stderr_tail = proof.stderr_tail;
  if (const ManifestHeader* const original = options.original; original != nullptr) {
    manifest.producer = original->producer;
    manifest.command = original->command;
    manifest.exit_status = original->exit_status;
    manifest.stderr_tail = original->stderr_tail;
    manifest.trailer_pattern = original->trailer_pattern;
  }
  manifest.command = keep_beginning(std::move(manifest.command), kManifestCommandBytesMax);
  manifest.stderr_tail = keep_end(std::move(manifest.stderr_tail), kManifestStderrBytesMax);
}

// The manifest, except for the fields that SnapshotCommit fills in.
Manifest manifest_of(const StreamPass& pass, const PushOptions& options, const Uuid& session,
                     const std::vector<std::string>& anomalies) {
  Manifest manifest;
  manifest.stream = options.stream;
  manifest.host = keep_beginning(options.host, kManifestHostBytesMax);
  manifest.tool_version = keep_beginning(options.tool_version, kManifestToolBytesMax);
  set_producer(manifest, pass.proof, options);
  const bool trailer_missed = !anomalies.empty() && !options.gates.trailer_pattern.empty();
  if (!trailer_missed && !options.gates.trailer_pattern.empty())
    manifest.trailer_pattern = options.gates.trailer_pattern;
  manifest.set_stream({.label = {},
                       .session = session,
                       .bytes = pass.totals.bytes,
                       .sha256 = pass.digests.sha256,
                       .xxh3 = pass.digests.xxh3,
                       .chunk_count = pass.totals.chunks,
                       .parts = pass.parts});
  manifest.new_bytes = pass.totals.new_bytes;
  manifest.stored_bytes = pass.stored_bytes;
  manifest.tags = options.tags;
  for (const std::string& anomaly : anomalies) {
    std::string& tag = manifest.tags[kAnomalyTag];
    tag += (tag.empty() ? "" : "; ") + anomaly;
    tag = keep_beginning(std::move(tag), kAnomalyTagBytesMax);
  }
  return manifest;
}

}  // namespace

Result<void> validate(const PushOptions& options) {
  DRS_RETURN_IF_ERROR(check_stream_name_bytes(options.stream));
  const std::size_t left_for_anomalies = options.original == nullptr ? kAnomalyTagBytesMax : 0;
  DRS_RETURN_IF_ERROR(check_tags_bytes(options.tags, kManifestTagsBytesMax - left_for_anomalies));
  return validate(options.gates);
}

Result<PushReport> push(Repository& repository, Source& source, const PushOptions& options, const PushBudget& budget,
                        const RunControl& control) {
  SourceGuard guard(source);
  const auto started = repository.clock().steady();
  const auto cancelling = control.cancel.on_cancel([&source] { source.cancel(); });
  DRS_RETURN_IF_ERROR(validate(options));
  PushReport report;
  // The session first: a prune that begins after this keeps what is listed from here on.
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<WriteSession> session,
                       WriteSession::begin(repository, repository.store(),
                                           {.stream = options.stream, .host = options.host}, options.heartbeats));
  DRS_ASSIGN_OR_RETURN(
      SnapshotCommit::Beginning begun,
      SnapshotCommit::begin(repository, {.name = options.stream, .sequence_seen = options.sequence_seen},
                            report.warnings));
  const Snapshot* const previous = begun.snapshot.predecessor();
  if (previous != nullptr) control.progress.guessed_bytes = previous->manifest.bytes;
  // A snapshot that missed a limit would let every later stream of its size pass.
  const Snapshot* const reference = begun.snapshot.snapshots().latest_without_anomaly(options.stream);
  if (previous != nullptr && reference == nullptr && (options.gates.shrink_max || options.gates.growth_max))
    report.warnings.push_back("every snapshot of stream " + options.stream +
                              " has the tag anomaly: --max-shrink and --max-growth have nothing to compare with");
  // The index uses its own instance of the store, for small reads.
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectStore> index_store, repository.store().clone());
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<KnownBlocks> known,
                       KnownBlocks::load(repository, *index_store,
                                         {.session = session->id(),
                                          .index_cache_bytes = budget.memory.index_cache_bytes,
                                          .index_table_bytes = budget.memory.index_table_bytes,
                                          .previous = previous},
                                         std::move(begun.packs), std::move(begun.index), report.warnings));

  auto passed = pass_over({.repository = repository,
                           .source = source,
                           .options = options,
                           .budget = budget,
                           .progress = control.progress,
                           .session = *session,
                           .known = *known,
                           .secures = index_store->secures()});
  if (!passed.ok()) return session->explain(std::move(passed).error());
  StreamPass& pass = *passed;
  if (control.cancel.cancelled()) return Error(ErrorCode::kCancelled, "the push was cancelled");
  if (options.original != nullptr) DRS_RETURN_IF_ERROR(check_same_stream(pass, *options.original));
  DRS_ASSIGN_OR_RETURN(report.anomalies, pass_gates(pass, options.gates, reference));
  report.manifest = manifest_of(pass, options, session->id(), report.anomalies);
  DRS_ASSIGN_OR_RETURN(auto committed, begun.snapshot.commit(*session, report.manifest, options.snapshot_ns,
                                                             std::move(pass.relies_on), report.warnings));

  report.manifest_name = std::move(committed.first);
  report.manifest_digest = committed.second;
  report.packs = pass.packs.packs;
  report.packs_bytes = pass.packs.packs_bytes;
  report.rewritten_bytes = pass.totals.rewritten_bytes;
  report.stats = pass.stats;
  report.elapsed = repository.clock().steady() - started;
  report.snapshots_before = std::move(begun.snapshot.snapshots());
  guard.release();
  return report;
}

}  // namespace drs
