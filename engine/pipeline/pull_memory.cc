#include <algorithm>

#include "engine/format/kinds.h"
#include "engine/pipeline/memory_plan.h"
#include "engine/pipeline/restore_buffers.h"
#include "io/bytes.h"

namespace drs {
namespace {

// Two recipe parts being planned, decoded (at most 128 Ki runs each: 28 bytes a run, 36 a block), and a third one's
// plaintext and sealed bytes on the way in; the same buffers serve the rescue of a damaged block.
constexpr std::size_t kRecipeWindowBytes = 16 * kMiB;
// The arena comes in huge pages.
constexpr std::size_t kArenaRoundBytes = 2 * kMiB;
// What a worker needs beside buffers: the codec's context, the opener's key schedules.
constexpr std::size_t kWorkerOverheadBytes = 16 * kKiB;

}  // namespace

Result<PullMemory> plan_pull(std::size_t memory_bytes, std::size_t threads, const StoreNeeds& store) {
  if (memory_bytes < kMemoryBytesMin) {
    return Error{ErrorCode::kUsage, "--memory must be at least " + std::to_string(kMemoryBytesMin / kMiB) +
                                        " MiB, not " + std::to_string(memory_bytes / kMiB) + " MiB"};
  }
  return plan_pull_share({memory_bytes, "--memory " + std::to_string(memory_bytes / kMiB) + " MiB", store}, threads);
}

PullMemory plan_pull_share(const MemoryShare& share, std::size_t threads) {
  const std::size_t memory_bytes = share.bytes;
  const StoreNeeds& store = share.store;
  PullMemory plan;
  // Workers may take an eighth: blocks that are kept save more decoding than a further thread brings.
  const std::size_t worker_bytes = kRestoreScratchBytes + decompression_context_bytes() + kWorkerOverheadBytes;
  const std::size_t workers_max = memory_bytes / 8 / worker_bytes;
  plan.workers = std::clamp<std::size_t>(threads, 1, workers_max);
  if (plan.workers < threads) {
    plan.notice = "reading with " + std::to_string(plan.workers) + " threads instead of " + std::to_string(threads) +
                  ": " + share.ceiling + " has no room for more";
  }
  // A twelfth for what is on its way in: at a long distance from the store this is what keeps the line full.
  plan.sealed_buffers = std::clamp<std::size_t>(memory_bytes / 12 / kSealedBufferBytes, 4, 64);
  // A sixteenth for directories and chunk lists.
  plan.index_cache_bytes = std::min<std::size_t>(memory_bytes / 16, 64 * kMiB);

  // What is read at once takes memory of the store's too.
  const std::size_t store_bytes = std::min(plan.sealed_buffers, store.parallel_max) * store.operation_bytes;
  const std::size_t beside_arena =
      kRecipeWindowBytes + store_bytes + plan.index_cache_bytes + plan.workers * (worker_bytes - kRestoreScratchBytes);
  const std::size_t arena_bytes_max = (memory_bytes - beside_arena) / kArenaRoundBytes * kArenaRoundBytes;
  const std::size_t in_arena = plan.sealed_buffers * kSealedBufferBytes + plan.workers * kRestoreScratchBytes;
  // All that is left keeps decoded blocks. More than this does not help: the recipe is known two parts ahead only.
  plan.block_buffers = std::min<std::size_t>((arena_bytes_max - in_arena) / kBlockBytesMax, 4096);
  // Every worker has a block under its hands and one waiting for it; a dozen more bridge the moments in which whoever
  // takes the stream does not run. Blocks from far away are asked for earlier: a quarter of the memory is 50 ms at
  // 1 GB/s.
  plan.read_ahead = plan.block_buffers / 4;
  if (store.operation_bytes == 0) plan.read_ahead = std::min(2 * plan.workers + 12, plan.read_ahead);
  plan.arena_bytes = in_arena + plan.block_buffers * kBlockBytesMax;
  return plan;
}

}  // namespace drs
