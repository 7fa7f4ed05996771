#include "engine/topics/topic_memory.h"

#include <algorithm>
#include <string>

#include "engine/format/record_block.h"

namespace drs {
namespace {

constexpr std::size_t kWindowMax = 32;

}  // namespace

// 72 of 256 MiB: the client's queue, and the batches in flight as they expand.
std::size_t reading_client_bytes(std::size_t memory_bytes) {
  return memory_bytes / 32 * 9;
}

Result<ArchiveMemory> plan_archive(const RunLimits& limits, CompressionChoice compression, const StoreNeeds& store) {
  const std::string ceiling = "--memory " + std::to_string(limits.memory_bytes / kMiB) + " MiB";
  if (limits.memory_bytes < kMemoryBytesMin)
    return Error(ErrorCode::kUsage,
                 ceiling + " is below the floor of " + std::to_string(kMemoryBytesMin / kMiB) + " MiB");
  ArchiveMemory plan;
  plan.client_bytes = reading_client_bytes(limits.memory_bytes);
  // Columns being filled, up to twice a record block for each partition: 64 of 256 MiB.
  plan.window = std::clamp<std::size_t>(limits.memory_bytes / 4 / (2 * kRecordBlockBytesMax), 1, kWindowMax);
  const std::size_t columns_bytes = plan.window * 2 * kRecordBlockBytesMax;
  DRS_ASSIGN_OR_RETURN(plan.push, plan_push_share({.bytes = limits.memory_bytes - plan.client_bytes - columns_bytes,
                                                   .ceiling = ceiling,
                                                   .store = store,
                                                   .in_blocks = true},
                                                  limits.threads, compression));
  return plan;
}

}  // namespace drs
