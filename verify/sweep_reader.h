// Reads the packs of a sweep on all workers, in order and within the budget, and saves records on the way: the part
// that sweeps with and without a key share.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "io/base/cancel.h"
#include "sinks/object_store.h"
#include "verify/snapshot_check.h"
#include "verify/sweep.h"
#include "verify/sweep_budget.h"
#include "verify/sweep_record.h"

namespace drs {

// One thread.
class SweepReader {
 public:
  // Reads one pack. On the thread of the worker. Errors: those that do not concern the pack.
  using Read = std::function<Result<PackOutcome>(std::size_t worker, const PackInfo& pack)>;
  // Keeps records. Called by one thread at a time, with a store of that thread.
  using Save = std::function<Result<void>(const std::vector<Verified>& records, ObjectStore& store)>;

  SweepReader(const Clock& clock, const SweepOptions& options, SweepBudget& budget, SweepRecord& record, Save save)
      : clock_(clock), options_(options), budget_(budget), record_(record), save_(std::move(save)) {}

  // `due`: positions in `packs`. The first error of `read` or of a save ends it; what was proven until then is saved
  // all the same. Counts what is left into `report`.
  Result<void> run(std::span<const PackInfo> packs, std::span<const std::size_t> due, const WorkerStores& stores,
                   const Read& read, SweepReport& report);
  // For snapshots: whether one of this size may be rebuilt now; and what came of it.
  bool may_read(std::uint64_t bytes) { return budget_.take(bytes); }
  Result<void> rebuilt(const RebuiltSnapshot& snapshot, ObjectStore& store) {
    record_.rebuilt(snapshot);
    return save_if_due(store);
  }
  // Saves what the record has, if anything.
  Result<void> save(ObjectStore& store);
  // The same if it is time for that.
  Result<void> save_if_due(ObjectStore& store);

 private:
  const Clock& clock_;
  const SweepOptions& options_;
  SweepBudget& budget_;
  SweepRecord& record_;
  const Save save_;
  std::mutex mutex_;  // of saving
  std::chrono::steady_clock::time_point saved_ = clock_.steady();
};

}  // namespace drs
