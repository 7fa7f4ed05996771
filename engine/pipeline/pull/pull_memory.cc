#include <algorithm>

#include "engine/format/kinds.h"
#include "engine/pipeline/memory_plan.h"
#include "engine/pipeline/pull/restore_buffers.h"
#include "io/base/bytes.h"

namespace drs {
namespace {

// Two decoded recipe parts being planned (at most 128 Ki runs each: 28 bytes a run, 36 a block), and the plaintext and
// sealed bytes of a third one being read. The recovery of a damaged block uses the same memory.
constexpr std::size_t kRecipeWindowBytes = 16 * kMiB;
// The arena is made of huge pages.
constexpr std::size_t kArenaRoundBytes = 2 * kMiB;
// Memory of a worker besides buffers and the codec's context: above all the opener's key schedules.
constexpr std::size_t kWorkerOverheadBytes = 16 * kKiB;

}  // namespace

Result<PullMemory> plan_pull(const RunLimits& limits, const StoreNeeds& store) {
  const std::size_t memory_bytes = limits.memory_bytes;
  if (memory_bytes < kMemoryBytesMin) {
    return Error(ErrorCode::kUsage, "--memory must be at least " + std::to_string(kMemoryBytesMin / kMiB) +
                                        " MiB, not " + std::to_string(memory_bytes / kMiB) + " MiB");
  }
  return plan_pull_share({memory_bytes, "--memory " + std::to_string(memory_bytes / kMiB) + " MiB", store},
                         limits.threads);
}

PullMemory plan_pull_share(const MemoryShare& share, std::size_t threads) {
  const std::size_t memory_bytes = share.bytes;
  const StoreNeeds& store = share.store;
  PullMemory plan;
  // At most an eighth for workers: with more memory for decoded blocks a restore saves more than with more threads.
  const std::size_t worker_bytes = kRestoreScratchBytes + decompression_context_bytes() + kWorkerOverheadBytes;
  const std::size_t workers_max = memory_bytes / 8 / worker_bytes;
  plan.workers = std::clamp<std::size_t>(threads, 1, workers_max);
  if (plan.workers < threads) {
    plan.notice = "reading with " + std::to_string(plan.workers) + " threads instead of " + std::to_string(threads) +
                  ": " + share.ceiling + " has no room for more";
  }
  // A twelfth for reads in flight: with a remote store they keep the line full.
  plan.sealed_buffers = std::clamp<std::size_t>(memory_bytes / 12 / kSealedBufferBytes, 4, 64);
  // A sixteenth for directories and chunk lists.
  plan.index_cache_bytes = std::min<std::size_t>(memory_bytes / 16, 64 * kMiB);

  // The store, too, needs memory for each read in flight.
  const std::size_t store_bytes = std::min(plan.sealed_buffers, store.parallel_max) * store.operation_bytes;
  const std::size_t beside_arena =
      kRecipeWindowBytes + store_bytes + plan.index_cache_bytes + plan.workers * (worker_bytes - kRestoreScratchBytes);
  const std::size_t arena_bytes_max = (memory_bytes - beside_arena) / kArenaRoundBytes * kArenaRoundBytes;
  const std::size_t in_arena = plan.sealed_buffers * kSealedBufferBytes + plan.workers * kRestoreScratchBytes;
  // The rest keeps decoded blocks. More than 4096 do not help: the planner sees only two recipe parts ahead.
  plan.block_buffers = std::min<std::size_t>((arena_bytes_max - in_arena) / kBlockBytesMax, 4096);
  // Every worker decodes one block and has another one waiting; a dozen more bridge pauses of the stream's consumer. A
  // remote store needs earlier requests: a quarter of the memory is 50 ms at 1 GB/s.
  plan.read_ahead = plan.block_buffers / 4;
  if (store.operation_bytes == 0) plan.read_ahead = std::min(2 * plan.workers + 12, plan.read_ahead);
  plan.arena_bytes = in_arena + plan.block_buffers * kBlockBytesMax;
  return plan;
}

}  // namespace drs
