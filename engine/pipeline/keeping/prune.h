// Prune: gives back the space of what no snapshot needs, beside running pushes, copies, restores and other prunes, on
// any number of machines, without locks. docs/DELETION.md explains the protocol; tests/model checks it.
//
// A run continues the deletions of earlier runs whose sessions have ended and whose grace time has passed (verdict.h),
// condemns what is dead now (condemn.h), and tidies up (housekeeping.h). It may be killed anywhere: the next run takes
// up what it left. Nothing is deleted in the run that condemns it, except with `exclusive`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "engine/pipeline/keeping/condemn.h"
#include "engine/pipeline/keeping/dead_space.h"
#include "engine/pipeline/keeping/housekeeping.h"
#include "engine/pipeline/keeping/settle.h"
#include "engine/pipeline/keeping/verdict.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/run_control.h"

namespace drs {

struct PruneOptions {
  std::chrono::nanoseconds age_min = std::chrono::hours(48);  // younger packs are not condemned
  std::chrono::nanoseconds grace = std::chrono::hours(20);    // between condemning and deleting
  std::chrono::nanoseconds undo = std::chrono::hours(7 * 24);
  std::chrono::nanoseconds silence = std::chrono::hours(72);  // without a heartbeat for longer, a session is fenced
  std::uint64_t move_bytes_max = std::numeric_limits<std::uint64_t>::max();
  std::size_t pack_bytes_target = 16 * kMiB;
  std::size_t index_cache_bytes = 64 * kMiB;
  std::size_t retired_together_min = kRetiredTogetherMin;
  bool dry_run = false;
  // Fences every unsettled session, ignores grace and least age, and deletes in the same run.
  bool exclusive = false;
  bool force = false;  // `exclusive` even while sessions are young
  // What is wrong with the snapshots according to what somebody remembers of them: that one has vanished without a mark
  // of removal. While there is something, nothing is deleted. Empty: nobody remembers.
  std::function<std::vector<std::string>(const SnapshotCatalog&)> remembered = {};
  // The place promises only one writer at a time: its store cannot show every put to others.
  bool single_writer = false;
};

// A deletion that is not finished, and what it waits for.
struct WaitingDeletion {
  Uuid record;
  std::uint64_t objects = 0;  // that are still there
  std::uint64_t bytes = 0;
  WallNs until_ns = 0;  // the store's time at which the grace time ends; 0: it has ended
  std::vector<AwaitedSession> awaited;
};

struct PruneReport {
  WallNs now_ns = 0;                 // the store's time
  SpaceTotals space;                 // before this run has condemned or deleted anything
  std::uint64_t undo_snapshots = 0;  // removed, but within the undo time or held
  ChosenPacks chosen;                // what this run condemns, or would
  bool condemned_recently = false;   // a record is younger than the grace time, so nothing new is condemned
  bool no_room_to_move = false;      // the store has no room for live blocks: only dead packs are condemned
  CondemnReport condemned;
  DeletionTotals deleted;
  BlockMover::Totals moved;
  std::uint64_t ripe_objects = 0;  // of earlier records: may be deleted by this run
  std::uint64_t ripe_bytes = 0;
  std::vector<WaitingDeletion> waiting;
  std::vector<std::string> fenced;    // manifests whose sessions this run has fenced
  std::uint64_t session_objects = 0;  // of ended sessions, removed
  HousekeepingReport housekeeping;
  // What could not be read, and therefore protects what it may name. Each is a reason for exit code 4.
  std::vector<std::string> problems;
};

// Errors: kBusy (`exclusive` while a session is younger than two hours, or any runs and `single_writer`), kUsage
// (`single_writer` without `exclusive`; the store tells no time), kCancelled, the store's.
Result<PruneReport> prune(Repository& repository, const PruneOptions& options, const RunControl& control);

}  // namespace drs
