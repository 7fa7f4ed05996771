#include "verify/sweep_reader.h"

#include <utility>

#include "engine/repository/parallel.h"

namespace drs {

Result<void> SweepReader::run(std::span<const PackInfo> packs, std::span<const std::size_t> due,
                              const WorkerStores& stores, const Read& read, SweepReport& report) {
  report.due_packs = due.size();
  for (const std::size_t at : due) report.due_bytes += packs[at].bytes;
  report.left_packs = report.due_packs;
  report.left_bytes = report.due_bytes;
  std::mutex mutex;  // of the counts of what is left
  const auto result = for_each_parallel(stores.size(), due.size(), [&](std::size_t worker, std::size_t i) {
    const PackInfo& pack = packs[due[i]];
    if (!budget_.take(pack.bytes)) return Result<void>();
    record_.begin(worker, clock_.wall_ns());
    const auto outcome = read(worker, pack);
    record_.end(worker, due[i], outcome.ok() ? *outcome : PackOutcome::kUnread);
    if (!outcome.ok()) return Result<void>(outcome.error());
    {
      const std::scoped_lock lock(mutex);
      --report.left_packs;
      report.left_bytes -= pack.bytes;
    }
    return save_if_due(*stores[worker]);
  });
  const auto saved = save(*stores.front());
  report.budget_used = budget_.used();
  return result.ok() ? saved : result;
}

Result<void> SweepReader::save_if_due(ObjectStore& store) {
  {
    const std::scoped_lock lock(mutex_);
    if (clock_.steady() - saved_ < options_.record_every) return {};
    saved_ = clock_.steady();  // for the other workers
  }
  return save(store);
}

Result<void> SweepReader::save(ObjectStore& store) {
  const std::scoped_lock lock(mutex_);
  saved_ = clock_.steady();
  const std::vector<Verified> records = record_.take(clock_.wall_ns());
  return records.empty() ? Result<void>() : save_(records, store);
}

}  // namespace drs
