#include "engine/pipeline/push/push_stages.h"

#include <utility>
#include <vector>

#include "io/cgroup_limits.h"

namespace drs {

PushStages::PushStages(const PushBudget& budget, ProgressCounters& progress)
    : progress_(progress),
      gather_buffers_(budget.arena.carve(budget.memory.gather_buffers * kBlockBytesMax), kBlockBytesMax,
                      budget.memory.gather_buffers),
      pack_memory_(budget.arena.carve(budget.memory.pack_buffers * budget.memory.pack_slot_bytes)),
      pack_buffers_(pack_memory_, budget.memory.pack_slot_bytes, budget.memory.pack_buffers),
      closing_(failure_.on_failure([this] {
        gather_buffers_.close();
        pack_buffers_.close();
      })) {}

PushStages::~PushStages() {
  stop();
}

Result<std::unique_ptr<PushStages>> PushStages::make(const Repository& repository, const PushBudget& budget,
                                                     ProgressCounters& progress, const Options& options) {
  std::unique_ptr<PushStages> stages(new PushStages(budget, progress));
  DRS_RETURN_IF_ERROR(stages->open(repository, budget, options));
  return stages;
}

Result<void> PushStages::open(const Repository& repository, const PushBudget& budget, const Options& options) {
  // The store thread uses its own instance.
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<ObjectStore> store, repository.store().clone());
  PackWriter::Options pack_options;
  pack_options.pack_bytes_target = budget.memory.pack_bytes_target;
  pack_options.pack_memory = pack_memory_;
  packs_ = std::make_unique<PackWriter>(repository, std::move(store), pack_buffers_, failure_, meter_, pack_options);
  const BlockSealer::Options sealing{
      .session = options.session, .compression = options.compression, .read_back = options.read_back};
  std::vector<BlockSealer> sealers;
  for (std::size_t i = 0; i < budget.memory.workers; ++i) {
    const MutableByteView scratch = budget.arena.carve(budget.memory.worker_scratch_bytes);
    DRS_ASSIGN_OR_RETURN(BlockSealer sealer, BlockSealer::make(sealing, *packs_, meter_, scratch));
    sealers.push_back(std::move(sealer));
  }
  workers_ =
      std::make_unique<PushWorkers>(std::move(sealers), repository, gather_buffers_, failure_, progress_, meter_);
  return {};
}

Result<void> PushStages::start(PushWorkers::OrderedStep ordered_step) {
  DRS_RETURN_IF_ERROR(packs_->start());
  return workers_->start(std::move(ordered_step));
}

Result<void> PushStages::finish() {
  DRS_RETURN_IF_ERROR(workers_->wait_sealed());
  return packs_->flush();
}

void PushStages::stop() {
  if (workers_ != nullptr) workers_->stop();
}

PushStats PushStages::stats() const {
  PushStats stats = meter_.totals();
  stats.workers = workers_->thread_count();
  stats.cores = usable_cores();
  stats.pack_buffers = pack_buffers_.count();
  stats.pack_buffers_free_min = pack_buffers_.free_count_min();
  return stats;
}

}  // namespace drs
