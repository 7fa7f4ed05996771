#include "engine/pipeline/copy.h"

#include <algorithm>
#include <chrono>

#include "engine/pipeline/replica_copy.h"
#include "engine/pipeline/stream_copy.h"

namespace drs {
namespace {

Result<void> copy_verbatim(Repository& source, const SnapshotCatalog& catalog,
                           const std::vector<const Snapshot*>& chosen, Repository& target, const CopyOptions& options,
                           ProgressCounters& progress, CancelToken& cancel, CopyReport& report) {
  if (chosen.empty() && catalog.removed.empty()) return {};
  DRS_ASSIGN_OR_RETURN(const auto copy, ReplicaCopy::begin(source, catalog, target, options, progress, cancel, report));
  // A gap behind a removed predecessor is only explained once its mark is there.
  DRS_RETURN_IF_ERROR(copy->carry_marks(chosen));
  for (const Snapshot* const snapshot : chosen) DRS_RETURN_IF_ERROR(copy->add(*snapshot));
  return copy->heal();
}

Result<void> copy_streams(Repository& source, const std::vector<const Snapshot*>& chosen, Repository& target,
                          const CopyOptions& options, ProgressCounters& progress, CancelToken& cancel,
                          CopyReport& report) {
  DRS_ASSIGN_OR_RETURN(StreamCopy copy, StreamCopy::begin(source, target, options, progress, cancel, report));
  for (const Snapshot* const snapshot : chosen) progress.total_bytes += snapshot->manifest.bytes;
  for (const Snapshot* const snapshot : chosen) DRS_RETURN_IF_ERROR(copy.add(*snapshot));
  return {};
}

}  // namespace

std::uint64_t CopyReport::count(SnapshotCopy::Outcome outcome) const {
  return static_cast<std::uint64_t>(std::count_if(
      snapshots.begin(), snapshots.end(), [outcome](const auto& snapshot) { return snapshot.outcome == outcome; }));
}

bool is_replica(const Repository& source, const Repository& target) {
  return source.config().repository == target.config().repository &&
         equal_constant_time(source.keys().master(), target.keys().master());
}

Result<CopyReport> copy_snapshots(Repository& source, const SnapshotCatalog& catalog,
                                  const std::vector<const Snapshot*>& chosen, Repository& target,
                                  const CopyOptions& options, ProgressCounters& progress, CancelToken& cancel) {
  const auto started = source.clock().steady();
  CopyReport report;
  report.replica = is_replica(source, target);
  if (!report.replica && source.config().repository == target.config().repository)
    return Error(ErrorCode::kUsage, "the two repositories have one id, but two master keys: one of them is forged");
  if (!report.replica && options.mirror)
    return Error(ErrorCode::kUsage, target.store().name_for_messages() + " is no replica of " +
                                        source.store().name_for_messages() +
                                        ": only `drstream init --replica-of` makes one that can mirror it");
  auto copied = report.replica ? copy_verbatim(source, catalog, chosen, target, options, progress, cancel, report)
                               : copy_streams(source, chosen, target, options, progress, cancel, report);
  if (!copied.ok()) {
    const std::uint64_t done = report.count(SnapshotCopy::Outcome::kCopied);
    return std::move(copied).error().with_context(std::to_string(done) + " snapshots were copied, then");
  }
  report.seconds = std::chrono::duration<double>(source.clock().steady() - started).count();
  return report;
}

}  // namespace drs
