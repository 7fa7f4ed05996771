#include "engine/pipeline/copy/copy.h"

#include <algorithm>
#include <chrono>

#include "engine/pipeline/copy/carried_holds.h"
#include "engine/pipeline/copy/replica_copy.h"
#include "engine/pipeline/copy/stream_copy.h"

namespace drs {
namespace {

Result<void> copy_verbatim(const CopySource& source, const std::vector<const Snapshot*>& chosen, Repository& target,
                           const CopyOptions& options, const RunControl& control, CopyReport& report) {
  if (chosen.empty() && source.catalog.removed.empty()) return {};
  DRS_ASSIGN_OR_RETURN(const auto copy, ReplicaCopy::begin(source, target, options, control, report));
  const auto copied = [&]() -> Result<void> {
    // Marks first: a snapshot whose predecessor is missing counts as rolled back until the predecessor's mark is there.
    DRS_RETURN_IF_ERROR(copy->carry_marks(chosen));
    for (const Snapshot* const snapshot : chosen) DRS_RETURN_IF_ERROR(copy->add(*snapshot));
    return copy->heal();
  }();
  return copied.ok() ? copied : copy->explain(copied.error());
}

Result<void> copy_streams(const CopySource& source, const std::vector<const Snapshot*>& chosen, Repository& target,
                          const CopyOptions& options, const RunControl& control, CopyReport& report) {
  DRS_ASSIGN_OR_RETURN(StreamCopy copy, StreamCopy::begin(source, target, options, control, report));
  for (const Snapshot* const snapshot : chosen) control.progress.total_bytes += snapshot->manifest.bytes;
  for (const Snapshot* const snapshot : chosen) DRS_RETURN_IF_ERROR(copy.add(*snapshot));
  return {};
}

}  // namespace

std::uint64_t CopyReport::count(SnapshotCopy::Outcome outcome) const {
  return static_cast<std::uint64_t>(std::count_if(
      snapshots.begin(), snapshots.end(), [outcome](const auto& snapshot) { return snapshot.outcome == outcome; }));
}

Error removed_meanwhile() {
  return {ErrorCode::kConflict, "it was removed from the source while the copy ran"};
}

bool is_replica(const Repository& source, const Repository& target) {
  return source.config().repository == target.config().repository &&
         equal_constant_time(source.keys().master(), target.keys().master());
}

Result<CopyReport> copy_snapshots(const CopySource& from, const std::vector<const Snapshot*>& chosen,
                                  Repository& target, const CopyOptions& options, const RunControl& control) {
  Repository& source = from.repository;
  const auto started = source.clock().steady();
  CopyReport report;
  report.replica = is_replica(source, target);
  if (!report.replica && source.config().repository == target.config().repository)
    return Error(ErrorCode::kUsage,
                 "the two repositories have the same id, but different master keys: one of them is forged");
  if (!report.replica && options.mirror)
    return Error(ErrorCode::kUsage, target.store().name_for_messages() + " is not a replica of " +
                                        source.store().name_for_messages() +
                                        ": a mirror must be made with `drstream init --replica-of`");
  auto copied = report.replica ? copy_verbatim(from, chosen, target, options, control, report)
                               : copy_streams(from, chosen, target, options, control, report);
  if (copied.ok()) copied = carry_holds(source, target, report);
  if (!copied.ok()) {
    const std::uint64_t done = report.count(SnapshotCopy::Outcome::kCopied);
    return std::move(copied).error().with_context(std::to_string(done) + " snapshots were copied, then");
  }
  report.elapsed = source.clock().steady() - started;
  return report;
}

}  // namespace drs
