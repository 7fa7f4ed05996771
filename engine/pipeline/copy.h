// Copy: snapshots of one repository into another.
//
// Into a replica (a repository with the same id and master key, Repository::init_replica) objects go verbatim: packs,
// then the index objects that name them, then the manifest, snapshot by snapshot, so that the replica never shows a
// half one. Into any other repository each snapshot is pulled and pushed anew, with the ids, keys and deduplication of
// its new place; stream, times of the data, tags and the proof of its producer are kept.
//
// Every byte is checked against its digest before anything that needs it is committed. A snapshot that is damaged in
// the source, that this version cannot restore, or for which the memory does not suffice is told and passed over; the
// others are copied. What is there already is found again, so a copy that was interrupted is simply run again. What a
// replica has lost of snapshots that were there is copied again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/pipeline/memory_plan.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/cancel.h"
#include "io/progress.h"

namespace drs {

struct CopyOptions {
  CompressionChoice compression;  // where blocks are made anew
  // Into a replica: marks of removal take effect on snapshots that it has, too. The others always come along.
  bool mirror = false;
  // Into a replica: whether it still lists all that chosen snapshots need which it has is looked up by their recipes in
  // any case. Else only where its own lists show that something is gone.
  bool look_through_present = false;
  std::size_t memory_bytes = kMemoryBytesDefault;
  std::size_t threads = 1;
  std::string host;
  std::string tool_version;
};

struct SnapshotCopy {
  enum class Outcome : std::uint8_t {
    kCopied,
    kPresent,       // the target has it
    kHealed,        // replica: the target has it, and lacked packs that it needs: they were copied again
    kRemoved,       // the target has a mark that it was removed there
    kDamaged,       // not copied; `problem` names what is damaged in the source
    kDamagedThere,  // replica: the manifest or what it needs is there, but damaged; `problem` says what to do
    kSkipped,       // not copied, and not damaged: `problem` says why, `reason` is its code
    kFenced,        // replica: not copied, since a prune of the target has fenced an earlier copy that stayed silent
  };
  const Snapshot* source = nullptr;
  Outcome outcome = Outcome::kCopied;
  std::string target_name;  // of the manifest in the target; empty where it has none
  std::string problem;
  ErrorCode reason = ErrorCode::kInternal;  // kDamaged, kSkipped: of `problem`
  std::uint64_t healed_packs = 0;           // kHealed
};

struct CopyReport {
  bool replica = false;
  std::vector<SnapshotCopy> snapshots;  // as they were chosen
  std::uint64_t packs = 0;              // written to the target
  std::uint64_t packs_present = 0;      // replica: needed, and there already
  std::uint64_t index_objects = 0;      // replica: written
  std::uint64_t removal_marks = 0;      // replica: written
  std::uint64_t read_bytes = 0;         // of packs, from the source
  std::uint64_t stored_bytes = 0;       // of packs, to the target
  double seconds = 0;
  std::string notice;  // not empty: what --memory reduced, and why
  std::vector<std::string> warnings;

  [[nodiscard]] std::uint64_t count(SnapshotCopy::Outcome outcome) const;
};

// Same id and same master key.
bool is_replica(const Repository& source, const Repository& target);

// Copies `chosen`, snapshots of `catalog`, the live snapshots of `source`, in this order. Nobody else may use either
// repository's `store()` meanwhile. Errors: kUsage (the two are one place's id with two keys; a mirror that is no
// replica; memory below the floor); kConflict (fenced, or a prune of the target has condemned
// what is needed); those of the target's and the source's store, damage in the source excepted; kCancelled. What was
// copied before an error stays.
Result<CopyReport> copy_snapshots(Repository& source, const SnapshotCatalog& catalog,
                                  const std::vector<const Snapshot*>& chosen, Repository& target,
                                  const CopyOptions& options, ProgressCounters& progress, CancelToken& cancel);

}  // namespace drs
