// A copy into a repository with different keys: each snapshot is pulled from the source and pushed into the target at
// the same time, in bounded memory, as if its producer ran again. Threads: one thread at a time; the pull and the push
// start their own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "engine/pipeline/copy/copy.h"

namespace drs {

class StreamCopy {
 public:
  // All arguments must outlive the copy. Adds to `report`. Errors: as copy_snapshots.
  static Result<StreamCopy> begin(const CopySource& source, Repository& target, const CopyOptions& options,
                                  const RunControl& control, CopyReport& report);
  // Copies one snapshot, or reports why not. Errors: those of copy_snapshots.
  Result<void> add(const Snapshot& snapshot);

 private:
  StreamCopy(Repository& source, Repository& target, const CopyOptions& options, const RunControl& control,
             CopyReport& report)
      : source_(&source),
        target_(&target),
        options_(&options),
        progress_(&control.progress),
        cancel_(&control.cancel),
        report_(&report) {}
  // Returns the damage that prevents the copy, if any.
  Result<std::optional<Error>> copy_whole(const Snapshot& snapshot);
  // The same for an archive of topics.
  Result<std::optional<Error>> copy_archive(const Snapshot& snapshot);
  void report_healed(const std::string& name, std::uint64_t blocks);
  struct There {
    Snapshot snapshot;
    WallNs made_ns = 0;          // as oldest_first has it: of the original, if this is a copy; else in the target
    std::uint64_t sequence = 0;  // of the original; 0: no copy
  };
  // Returns a snapshot of the target that is newer than `snapshot`, or nullptr. Copies count in the order of their
  // originals: what the source has before `snapshot` is not newer, whatever its time.
  [[nodiscard]] const There* newer_there(const Snapshot& snapshot) const;

  Repository* source_;
  Repository* target_;
  const CopyOptions* options_;
  ProgressCounters* progress_;
  CancelToken* cancel_;
  CopyReport* report_;
  CopyMemory memory_;
  std::map<const Snapshot*, WallNs> made_ns_;  // of the source's snapshots
  std::vector<There> there_;                   // the target's snapshots
};

}  // namespace drs
