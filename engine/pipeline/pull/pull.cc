#include "engine/pipeline/pull/pull.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "engine/pipeline/pull/range_restore.h"

namespace drs {
namespace {

Result<RestoreRange> range_of(const ManifestHeader& manifest, const PullOptions& options) {
  DRS_RETURN_IF_ERROR(require_bytes(manifest));
  const auto outside = [&](const std::string& asked) {
    return Error(ErrorCode::kUsage, asked + ", but the stream has " + std::to_string(manifest.bytes) + " bytes");
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

// What is to be restored, checked before the index is loaded.
struct Wanted {
  Manifest manifest;
  RestoreRange range;
};
Result<Wanted> look_at(Repository& repository, const Snapshot& snapshot, const PullOptions& options) {
  DRS_ASSIGN_OR_RETURN(const RestoreRange range, range_of(snapshot.manifest, options));
  DRS_ASSIGN_OR_RETURN(Manifest manifest, read_manifest(repository, repository.store(), snapshot));
  return Wanted{std::move(manifest), range};
}

}  // namespace

Result<PullReport> pull(Repository& repository, const Snapshot& snapshot, Sink& sink, PullOptions options,
                        const PullBudget& budget, const RunControl& control) {
  const auto started = repository.clock().steady();
  const auto wanted = look_at(repository, snapshot, options);
  if (!wanted.ok()) {
    sink.abandon();
    return wanted.error();
  }
  control.progress.total_bytes = wanted->range.end_bytes - wanted->range.begin_bytes;
  bool committing = false;
  auto report = [&]() -> Result<PullReport> {
    DRS_ASSIGN_OR_RETURN(const std::unique_ptr<RangeRestore> restore,
                         RangeRestore::open(repository, budget, control, std::move(options.listing)));
    // The commit may wait for hours, for a consumer that works on after it has read everything.
    const auto cancelling = control.cancel.on_cancel([&sink] { sink.cancel(); });
    DRS_ASSIGN_OR_RETURN(PullReport done,
                         restore->run(wanted->manifest.streams.front(), wanted->range, sink, options.holes));
    if (control.cancel.cancelled()) return Error(ErrorCode::kCancelled, "cancelled");
    if (options.before_commit) DRS_RETURN_IF_ERROR(options.before_commit());
    committing = true;
    DRS_RETURN_IF_ERROR(sink.commit());
    return done;
  }();
  if (!report.ok()) {
    if (!committing) sink.abandon();
    return std::move(report).error().with_context("snapshot " + snapshot.id() + " of " + snapshot.manifest.stream);
  }
  report->elapsed = repository.clock().steady() - started;
  return report;
}

}  // namespace drs
