#include <algorithm>

#include "engine/pipeline/memory_plan.h"
#include "io/base/bytes.h"

namespace drs {
namespace {

Result<void> check_floor(std::size_t memory_bytes) {
  if (memory_bytes >= kMemoryBytesMin) return {};
  return Error(ErrorCode::kUsage, "--memory " + std::to_string(memory_bytes / kMiB) + " MiB is below the floor of " +
                                      std::to_string(kMemoryBytesMin / kMiB) + " MiB");
}

}  // namespace

Result<CopyMemory> plan_copy(const RunLimits& limits, CompressionChoice compression, const CopyStores& stores) {
  const std::size_t memory_bytes = limits.memory_bytes;
  DRS_RETURN_IF_ERROR(check_floor(memory_bytes));
  const std::string ceiling = "of --memory " + std::to_string(memory_bytes / kMiB) + " MiB";
  CopyMemory plan;
  // The push compresses and keeps packs and the table of known chunks: it gets the larger part.
  const std::size_t pull_bytes = memory_bytes / 8 * 3;
  const MemoryShare storing{memory_bytes - pull_bytes, "the part for storing " + ceiling, stores.target};
  const MemoryShare reading{pull_bytes, "the part for reading " + ceiling, stores.source};
  DRS_ASSIGN_OR_RETURN(plan.push, plan_push_share(storing, limits.threads, compression));
  plan.pull = plan_pull_share(reading, limits.threads);
  plan.notice = plan.push.notice.empty() ? plan.pull.notice : plan.push.notice;
  return plan;
}

Result<ReplicaMemory> plan_replica_copy(std::size_t memory_bytes) {
  DRS_RETURN_IF_ERROR(check_floor(memory_bytes));
  ReplicaMemory plan;
  // Directories of the source's index.
  plan.index_cache_bytes = memory_bytes / 16;
  // A recipe part, stored and decoded; the blocks of an index object being written; lists of packs.
  const std::size_t bookkeeping_bytes = 12 * kMiB;
  plan.objects_bytes = memory_bytes - plan.index_cache_bytes - bookkeeping_bytes;
  return plan;
}

}  // namespace drs
