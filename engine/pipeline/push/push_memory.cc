#include "engine/pipeline/memory_plan.h"

#include <algorithm>
#include <utility>

#include "engine/format/kinds.h"
#include "engine/pipeline/push/dedup_table.h"

namespace drs {
namespace {

constexpr std::size_t kPackBuffersMin = 3;

std::string mib(std::size_t bytes) {
  return std::to_string(bytes / kMiB) + " MiB";
}

}  // namespace

Result<PushMemory> plan_push(const RunLimits& limits, CompressionChoice compression, const StoreNeeds& store) {
  const std::string ceiling = "--memory " + mib(limits.memory_bytes);
  if (limits.memory_bytes < kMemoryBytesMin)
    return Error(ErrorCode::kUsage, ceiling + " is below the floor of " + mib(kMemoryBytesMin));
  return plan_push_share({limits.memory_bytes, ceiling, store}, limits.threads, compression);
}

Result<PushMemory> plan_push_share(const MemoryShare& share, std::size_t threads, CompressionChoice compression) {
  DRS_ASSERT(threads > 0, "a push needs at least one thread");
  const std::size_t memory_bytes = share.bytes;
  const StoreNeeds& store = share.store;
  PushMemory plan;
  // Known chunks, 12 bytes an entry: a fifth of the default memory holds 3 million.
  if (!share.in_blocks) plan.index_table_bytes = std::min(memory_bytes / 5, DedupTable::kBytesMax);
  // Chunk lists and directories read back from the index.
  plan.index_cache_bytes = memory_bytes / 16;
  // Packs: one being filled, one whose last blocks are being sealed, one being put. A remote store gets more and
  // smaller packs: while one waits for an answer, others use the line. A spool is local; its uploads have a share of
  // their own.
  const bool far = store.operation_bytes > 0 && !store.spooled;
  const std::size_t share_of_a_pack = (far || store.spooled ? 32U : 16U) / (share.in_blocks ? 2U : 1U);
  plan.pack_bytes_target = std::clamp(memory_bytes / share_of_a_pack, 4 * kMiB, 64 * kMiB) / kMiB * kMiB;
  plan.spool_bytes = store.spooled ? memory_bytes / 4 : 0;
  plan.pack_slot_bytes = plan.pack_bytes_target;
  plan.pack_buffers = far ? std::clamp(memory_bytes / 4 / plan.pack_slot_bytes, kPackBuffersMin,
                                       std::max(store.parallel_max, kPackBuffersMin))
                          : kPackBuffersMin;
  // Lists of blocks without an index object yet, recipes being built, manifests, buffers of the store.
  const std::size_t bookkeeping_bytes = memory_bytes / 24 + 6 * kMiB;
  // A worker: the compressor's context, one block compressed and one decoded back, a gather buffer, and the segment it
  // works on. Four more segments: one being read, one being cut, two waiting. Of a stream that comes in blocks, the
  // gather buffers are the segments.
  plan.worker_scratch_bytes = 2 * (kBlockBytesMax + 64 * kKiB);
  const std::size_t context_bytes = compression_context_bytes(compression, kBlockBytesMax) + 512 * kKiB;
  const std::size_t segment_bytes = share.in_blocks ? kBlockBytesMax : kSegmentBytes;
  const std::size_t per_worker_bytes = plan.worker_scratch_bytes + context_bytes + kBlockBytesMax + segment_bytes;
  const std::size_t base_bytes = 4 * segment_bytes + 2 * kBlockBytesMax;
  // One worker more than `threads` keeps the cores busy while another waits for the ordered step or the store.
  const std::size_t wanted = threads + 1;
  std::size_t rest_bytes = 0;
  std::size_t affordable = 0;
  for (;;) {
    // Besides packs the store may be putting an index object and a session's heartbeat.
    const std::size_t store_bytes = (plan.pack_buffers + 2) * store.operation_bytes;
    rest_bytes =
        memory_bytes - (plan.index_table_bytes + plan.index_cache_bytes + plan.pack_buffers * plan.pack_slot_bytes +
                        plan.spool_bytes + store_bytes + bookkeeping_bytes);
    affordable = rest_bytes > base_bytes ? (rest_bytes - base_bytes) / per_worker_bytes : 0;
    if (affordable > 0) break;
    if (plan.pack_buffers > kPackBuffersMin)
      --plan.pack_buffers;
    else if (plan.spool_bytes > 2 * plan.pack_slot_bytes)
      plan.spool_bytes /= 2;
    else
      break;
  }
  if (affordable == 0)
    return Error(ErrorCode::kUsage, share.ceiling + " is too little for compression " + to_string(compression) +
                                        ", which needs " + mib(context_bytes) + " for each worker");
  plan.workers = std::min(wanted, affordable);
  if (plan.workers < threads)
    plan.notice = "using " + std::to_string(plan.workers) + " of " + std::to_string(threads) +
                  " threads: " + share.ceiling + " allows no more at compression " + to_string(compression);
  plan.gather_buffers = plan.workers + 2;
  const std::size_t used_bytes =
      plan.workers * (plan.worker_scratch_bytes + context_bytes) + plan.gather_buffers * kBlockBytesMax;
  plan.segments = std::clamp((rest_bytes - used_bytes) / segment_bytes, plan.workers + 4, 4 * plan.workers + 12);
  if (share.in_blocks) plan.gather_buffers += std::exchange(plan.segments, 0);
  plan.arena_bytes = plan.segments * kSegmentBytes + plan.gather_buffers * kBlockBytesMax +
                     plan.pack_buffers * plan.pack_slot_bytes + plan.workers * plan.worker_scratch_bytes;
  return plan;
}

}  // namespace drs
