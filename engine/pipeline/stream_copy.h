// A copy into a repository with keys of its own: each snapshot is pulled here and pushed there, at the same time and in
// bounded memory, as if its producer ran again. Threads: one, and those of the pull and the push.
#pragma once

#include <optional>

#include "engine/pipeline/copy.h"

namespace drs {

class StreamCopy {
 public:
  // Everything must outlive the copy; it adds to `report`. Errors: as copy_snapshots.
  static Result<StreamCopy> begin(Repository& source, Repository& target, const CopyOptions& options,
                                  ProgressCounters& progress, CancelToken& cancel, CopyReport& report);
  // Copies one snapshot, or finds that it need not or cannot be. Errors: those of copy_snapshots.
  Result<void> add(const Snapshot& snapshot);

 private:
  StreamCopy(Repository& source, Repository& target, const CopyOptions& options, ProgressCounters& progress,
             CancelToken& cancel, CopyReport& report)
      : source_(&source),
        target_(&target),
        options_(&options),
        progress_(&progress),
        cancel_(&cancel),
        report_(&report) {}
  // The damage that keeps the snapshot from being copied, if any.
  Result<std::optional<Error>> copy_whole(const Snapshot& snapshot);

  Repository* source_;
  Repository* target_;
  const CopyOptions* options_;
  ProgressCounters* progress_;
  CancelToken* cancel_;
  CopyReport* report_;
  CopyMemory memory_;
  std::vector<Snapshot> there_;  // in the target
};

}  // namespace drs
