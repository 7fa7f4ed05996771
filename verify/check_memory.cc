#include "verify/check_memory.h"

#include <algorithm>
#include <string>

#include "io/cgroup_limits.h"

namespace drs {
namespace {

constexpr std::size_t kPieceBytes = 2 * kMiB;
// A pack's table while its blocks pass: 1,024 blocks of the smallest chunks take about 4 MiB sealed and 5 MiB decoded.
constexpr std::size_t kTableBytes = 10 * kMiB;
constexpr std::size_t kRebuildBlocksMax = 256;
constexpr std::uint64_t kListedObjectBytes = 200;
constexpr std::uint64_t kListBytesFree = 16 * kMiB;

std::size_t round_up(std::size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

}  // namespace

std::size_t CheckMemory::worker_arena_bytes() const {
  return 2 * (headroom_bytes + piece_bytes)  // this piece, and the next one being read
         + 2 * block_buffer_bytes;           // one block decoded, and decrypted before it is decompressed
}

Result<CheckMemory> plan_check(CheckKind kind, const CheckLimits& limits) {
  DRS_ASSIGN_OR_RETURN(const std::size_t memory_bytes, memory_beside_list(limits));
  // Small objects need small buffers.
  const std::size_t largest = std::max(
      kPageBytes, round_up(static_cast<std::size_t>(std::min<std::uint64_t>(limits.largest_bytes, kPackBytesMax))));
  CheckMemory memory;
  memory.piece_bytes = std::min(kPieceBytes, largest);
  if (kind == CheckKind::kVerify) {
    memory.headroom_bytes = std::min(round_up(kScanRegionBytesMax), largest);
    memory.block_buffer_bytes = kBlockBytesMax;
    memory.index_cache_bytes = std::max(memory_bytes / 8, 1 * kMiB);
    // Rebuilding begins after the workers have ended.
    memory.rebuild_blocks = std::clamp<std::size_t>(memory_bytes / 4 / kBlockBytesMax, 2, kRebuildBlocksMax);
  }
  const std::size_t worker_bytes = memory.worker_arena_bytes() + (kind == CheckKind::kVerify ? kTableBytes : 0) +
                                   2 * limits.operation_bytes;  // a worker reads two pieces at once
  const std::size_t for_workers = memory_bytes - std::min(memory_bytes, memory.index_cache_bytes);
  const std::size_t threads = limits.threads == 0 ? usable_cores() : limits.threads;
  // One more than threads: while one waits for the first piece of an object, the others keep the cores busy.
  memory.workers = std::clamp<std::size_t>(for_workers / worker_bytes, 1, threads + 1);
  return memory;
}

Result<std::size_t> memory_beside_list(const CheckLimits& limits) {
  const std::uint64_t list_bytes = limits.listed_objects * kListedObjectBytes;
  if (list_bytes <= kListBytesFree) return limits.memory_bytes;
  if (list_bytes > limits.memory_bytes / 2)
    return Error(ErrorCode::kUsage, "the repository has " + std::to_string(limits.listed_objects) +
                                        " objects, whose list takes " + std::to_string(list_bytes / kMiB) +
                                        " MiB: --memory must be " + std::to_string(2 * list_bytes / kMiB + 1) +
                                        " MiB or more");
  return limits.memory_bytes - static_cast<std::size_t>(list_bytes - kListBytesFree);
}

Result<CheckBuffers> CheckBuffers::map(const CheckMemory& memory) {
  DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.workers * memory.worker_arena_bytes()));
  CheckBuffers buffers(std::move(arena));
  for (std::size_t i = 0; i < memory.workers; ++i) {
    Worker worker;
    worker.sweep.headroom_bytes = memory.headroom_bytes;
    for (MutableByteView& buffer : worker.sweep.buffers) {
      buffer = buffers.arena_.carve(memory.headroom_bytes + memory.piece_bytes);
    }
    if (memory.block_buffer_bytes > 0) {
      worker.plain = buffers.arena_.carve(memory.block_buffer_bytes);
      worker.scratch = buffers.arena_.carve(memory.block_buffer_bytes);
    }
    buffers.workers_.push_back(worker);
  }
  return buffers;
}

}  // namespace drs
