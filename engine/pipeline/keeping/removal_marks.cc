#include "engine/pipeline/keeping/removal_marks.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/manifest_bounds.h"
#include "engine/format/names.h"
#include "engine/repository/parallel.h"
#include "engine/repository/removal.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"

namespace drs {
namespace {

constexpr std::size_t kWorkersMax = 8;  // a remote store takes that many small puts at once without delay

bool is_manifest_name(const std::string& name) {
  const auto parsed = parse_name(name);
  return parsed && parsed->kind == ObjectKind::kManifest;
}

std::string cut(const std::string& reason) {
  return reason.size() <= kRemovalReasonBytesMax ? reason : reason.substr(0, kRemovalReasonBytesMax);
}

Error held(const std::string& name) {
  return {ErrorCode::kLimitMissed, name + " is held, and is not removed; `drstream hold --release` ends a hold"};
}

enum class MarkOutcome : std::uint8_t { kWritten, kPresent };

Result<MarkOutcome> write_mark(const RepositoryKeys& keys, ObjectStore& store, const RemovedMark& mark) {
  const std::string name = removed_name(mark.manifest_name);
  const Bytes object = encode_document(keys, ObjectKind::kRemoved, name, encode_removed(mark));
  const PutOutcome outcome = settle_put(store, name, object, put_object(store, name, object));
  if (outcome.stored()) return MarkOutcome::kWritten;
  if (outcome.state != PutOutcome::State::kOtherBytes) return outcome.result().error();
  DRS_ASSIGN_OR_RETURN(const auto present, removal_of(keys, store, mark.manifest_name));
  if (present) return MarkOutcome::kPresent;
  return Error(ErrorCode::kCorrupt,
               name +
                   ": another object has the name of the removal mark, and it is not an authentic mark. The snapshot "
                   "stays. Find out who wrote the object, remove it from the store, and run the command again");
}

}  // namespace

std::vector<RemovedMark> removal_marks(std::span<const PlannedStream> plan, WallNs now_ns, const std::string& reason) {
  std::vector<RemovedMark> marks;
  for (const PlannedStream& stream : plan) {
    for (const PlannedSnapshot& planned : stream.snapshots) {
      if (planned.stays()) continue;
      const Snapshot& snapshot = *planned.snapshot;
      marks.push_back({snapshot.name, snapshot.digest, stream.stream, snapshot.manifest.sequence, now_ns, cut(reason)});
    }
  }
  return marks;
}

Result<RemovedMark> damaged_removal_mark(const ForgetSources& sources, const std::string& name, WallNs now_ns,
                                         const std::string& reason) {
  const SnapshotCatalog& catalog = sources.catalog;
  const auto broken = std::ranges::find(catalog.broken, name, &BrokenManifest::name);
  const auto live = std::ranges::find(catalog.live, name, &Snapshot::name);
  if (!is_manifest_name(name))
    return Error(ErrorCode::kUsage, "'" + name +
                                        "' is not the name of a manifest; `drstream verify` names those that are "
                                        "damaged, as manifests/<tag>-<session>");
  if (live != catalog.live.end())
    return Error(ErrorCode::kUsage,
                 name + " can be read: it is snapshot " + live->id() + ", which can be removed by that id");
  // One that is gone without a mark keeps prunes from deleting as long as a live snapshot names it.
  const auto missing = std::ranges::find(catalog.missing, name, &MissingManifest::name);
  if (broken == catalog.broken.end() && missing != catalog.missing.end()) {
    if (sources.holds.contains(name)) return held(name);
    const std::uint64_t sequence = std::max<std::uint64_t>(missing->before_sequence, 1) - 1;
    return RemovedMark{name, sha256(ByteView()), missing->stream, sequence, now_ns, cut(reason)};
  }
  if (broken == catalog.broken.end()) return Error(ErrorCode::kNoSnapshot, "there is no manifest " + name);
  if (is_too_new(broken->error))
    return broken->error.with_context(name + " is not damaged: a newer drstream wrote it, and can remove it");
  if (sources.holds.contains(name)) return held(name);
  // Zeros are the digest of a fence.
  const Digest digest = broken->digest == Digest{} ? sha256(ByteView()) : broken->digest;
  const std::uint64_t sequence = broken->stream.empty() ? 0 : catalog.next(broken->stream).sequence - 1;
  return RemovedMark{name, digest, broken->stream, std::min(sequence, kManifestSequenceMax), now_ns, cut(reason)};
}

Result<MarksReport> write_removal_marks(Repository& repository, std::span<const RemovedMark> marks,
                                        const CancelToken& cancel) {
  if (marks.empty()) return MarksReport();
  DRS_ASSIGN_OR_RETURN(const auto stores, parallel_stores(repository.store(), std::min(kWorkersMax, marks.size())));
  MarksReport report;
  std::mutex mutex;
  DRS_RETURN_IF_ERROR(
      for_each_parallel(stores.size(), marks.size(), [&](std::size_t worker, std::size_t item) -> Result<void> {
        if (cancel.cancelled()) return Error(ErrorCode::kCancelled, "the removal of snapshots was cancelled");
        auto outcome = write_mark(repository.keys(), *stores[worker], marks[item]);
        if (!outcome.ok() && outcome.error().code != ErrorCode::kCorrupt) return std::move(outcome).error();
        const std::lock_guard lock(mutex);
        if (outcome.ok())
          ++(*outcome == MarkOutcome::kWritten ? report.written : report.present);
        else
          report.refused.emplace(marks[item].manifest_name, std::move(outcome).error());
        return {};
      }));
  return report;
}

}  // namespace drs
