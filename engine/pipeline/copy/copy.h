// Copy: snapshots of one repository into another.
//
// A copy into a replica (a repository with the same id and master key, Repository::init_replica) stores the objects
// verbatim: snapshot by snapshot the packs, then the index objects that name them, then the manifest, so that the
// replica never shows an incomplete snapshot. A copy into any other repository pulls and pushes each snapshot, with the
// ids, keys and deduplication of the target; it keeps stream, data times, tags and the producer's proof.
//
// Every byte is checked against its digest before anything that needs it is committed. A snapshot that is damaged in
// the source, that this version cannot restore, or that needs more memory is skipped and reported; the others are
// copied, and held there if they are held in the source. An interrupted copy can be run again: it finds what is there
// already. Objects that a replica has lost are copied again.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/pipeline/memory_plan.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/run_control.h"

namespace drs {

struct CopyOptions {
  CompressionChoice compression;  // of blocks made anew; not used into a replica
  // Into a replica: copy the removal marks of snapshots that it has, too. Other removal marks are always copied.
  bool mirror = false;
  // Into a replica: check by their recipes whether the replica still lists all packs of the chosen snapshots that it
  // has. By default only if its own lists show that something is missing.
  bool look_through_present = false;
  // Not into a replica: snapshots that are copied even behind newer ones of the target (SnapshotCopy::is_older).
  std::set<const Snapshot*> in_any_order;
  std::size_t memory_bytes = kMemoryBytesDefault;
  std::size_t threads = 1;
  std::string host;
  std::string tool_version;
};

struct SnapshotCopy {
  enum class Outcome : std::uint8_t {
    kCopied,
    kPresent,       // the target has it
    kHealed,        // replica: the target has it, but had lost some of its packs: they were copied again
    kRemoved,       // the target has a removal mark of it
    kDamaged,       // not copied; `problem` names the damage in the source
    kDamagedThere,  // replica: the manifest or an object it needs is damaged in the target; `problem` says what to do
    kSkipped,       // not copied, and not damaged; `problem` gives the reason, `reason` its code
    kFenced,        // replica: not copied: a prune of the target has fenced an earlier copy without heartbeats
  };
  const Snapshot* source = nullptr;
  Outcome outcome = Outcome::kCopied;
  std::string target_name;  // of the manifest in the target; empty if it has none
  std::string problem;
  ErrorCode reason = ErrorCode::kInternal;  // kDamaged, kSkipped: of `problem`
  // kSkipped, not into a replica: the target has a newer snapshot of the stream. Behind that one this one would become
  // the latest.
  bool is_older = false;
  std::uint64_t healed_packs = 0;  // kHealed
};

struct CopyReport {
  bool replica = false;
  std::vector<SnapshotCopy> snapshots;  // in the order of `chosen`
  std::uint64_t packs = 0;              // written to the target
  std::uint64_t packs_present = 0;      // replica: needed, and in the target already
  std::uint64_t index_objects = 0;      // replica: written
  std::uint64_t removal_marks = 0;      // replica: written
  std::uint64_t holds = 0;              // written: of snapshots that are held in the source
  std::uint64_t read_bytes = 0;         // of packs, from the source
  std::uint64_t stored_bytes = 0;       // of packs, to the target
  std::chrono::duration<double> elapsed{};
  std::string notice;  // not empty: what --memory reduced, and why
  std::vector<std::string> warnings;

  [[nodiscard]] std::uint64_t count(SnapshotCopy::Outcome outcome) const;
};

// The reason of a snapshot that was removed from the source, and whose data a prune has deleted, while the copy ran.
Error removed_meanwhile();

// Whether both have the same id and the same master key.
bool is_replica(const Repository& source, const Repository& target);

// The source of a copy. Both outlive the copy.
struct CopySource {
  Repository& repository;
  const SnapshotCatalog& catalog;  // its snapshots
};

// Copies `chosen`, live snapshots of the source's catalog, in this order. The call has exclusive use of both
// repositories' `store()`. Errors: kUsage (both have one id, but different keys; `mirror` into a repository that is not
// a replica; memory below the floor); kConflict (fenced, or a prune of the target has condemned a needed pack); those
// of either store, except damage in the source; kCancelled. Snapshots copied before an error stay.
Result<CopyReport> copy_snapshots(const CopySource& from, const std::vector<const Snapshot*>& chosen,
                                  Repository& target, const CopyOptions& options, const RunControl& control);

}  // namespace drs
