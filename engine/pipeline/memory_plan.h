// How a memory ceiling is spent: one commented sum per direction, computed before anything is allocated.
//
// The ceiling covers the arena (all payload buffers), codec contexts, the deduplication index and caches. It excludes
// the program itself (code, stacks, small objects: at most 32 MiB, tested) and scrypt, which runs earlier.
#pragma once

#include <cstddef>
#include <string>

#include "codecs/compression.h"
#include "io/base/result.h"
#include "io/buffer_pool.h"
#include "sinks/object_store.h"

namespace drs {

inline constexpr std::size_t kMemoryBytesMin = 96 * 1024 * 1024;
inline constexpr std::size_t kMemoryBytesDefault = 256 * 1024 * 1024;

// A segment is a buffer of stream data. The data begins at kSegmentHeadroomBytes: the bytes left over from the previous
// segment fit in front of it, and direct reads stay aligned.
inline constexpr std::size_t kSegmentHeadroomBytes = 64 * 1024;
inline constexpr std::size_t kSegmentDataBytes = 2 * 1024 * 1024;
inline constexpr std::size_t kSegmentBytes = kSegmentHeadroomBytes + kSegmentDataBytes;

struct PushMemory {
  std::size_t workers = 0;
  std::size_t segments = 0;
  std::size_t gather_buffers = 0;
  std::size_t pack_bytes_target = 0;  // a pack is closed when the next block would not fit
  std::size_t pack_slot_bytes = 0;
  std::size_t pack_buffers = 0;
  std::size_t worker_scratch_bytes = 0;
  std::size_t index_table_bytes = 0;  // deduplication entries
  std::size_t index_cache_bytes = 0;  // chunk lists and directories
  std::size_t spool_bytes = 0;        // uploads from a spool
  std::size_t arena_bytes = 0;
  std::string notice;  // not empty: what was reduced, and why
};

// A plan and its arena, of which `memory.arena_bytes` are still to be carved. Both outlive the run.
struct PushBudget {
  const PushMemory& memory;
  BufferArena& arena;
};

// What a plan needs to know about the store (StoreTraits).
struct StoreNeeds {
  std::size_t parallel_max = 1;
  std::size_t operation_bytes = 0;
  bool spooled = false;  // packs go to a spool on this machine first
};
inline StoreNeeds needs_of(const ObjectStore& store) {
  return {store.parallel_max(), store.operation_bytes()};
}

struct RunLimits {
  std::size_t memory_bytes = 0;
  std::size_t threads = 1;  // the number requested, or the machine's cores
};

// Errors: kUsage (below the floor, which the text states; or too little for the compression).
Result<PushMemory> plan_push(const RunLimits& limits, CompressionChoice compression, const StoreNeeds& store = {});

struct PullMemory {
  std::size_t workers = 0;
  std::size_t block_buffers = 0;   // decoded blocks, 1 MiB each: read-ahead, and those kept for later uses
  std::size_t sealed_buffers = 0;  // blocks as stored, being read
  std::size_t read_ahead = 0;      // blocks requested before their turn
  std::size_t index_cache_bytes = 0;
  std::size_t arena_bytes = 0;
  std::string notice;
};
// Also used by verify. Errors: kUsage (below the floor).
Result<PullMemory> plan_pull(const RunLimits& limits, const StoreNeeds& store = {});

struct PullBudget {
  const PullMemory& memory;
  BufferArena& arena;
};

// A part of the ceiling, for a push or a pull that shares the process with other work; it has no floor. `ceiling` is
// the ceiling's name in messages: "--memory 96 MiB".
struct MemoryShare {
  std::size_t bytes = 0;
  std::string ceiling;
  StoreNeeds store;
  // The stream comes in blocks (BlockWriter): without segments, and without a table of known chunks.
  bool in_blocks = false;
};
Result<PushMemory> plan_push_share(const MemoryShare& share, std::size_t threads, CompressionChoice compression);
PullMemory plan_pull_share(const MemoryShare& share, std::size_t threads);

// A copy into a repository with other keys is a pull that feeds a push.
struct CopyMemory {
  PullMemory pull;
  PushMemory push;
  std::string notice;
};
struct CopyStores {
  StoreNeeds source;
  StoreNeeds target;
};
// Errors: as plan_push.
Result<CopyMemory> plan_copy(const RunLimits& limits, CompressionChoice compression, const CopyStores& stores = {});

// A copy into a replica moves whole objects.
struct ReplicaMemory {
  std::size_t index_cache_bytes = 0;
  std::size_t objects_bytes = 0;  // packs and index objects in full, and the stores' own buffers to move them
};
// Errors: kUsage below the floor.
Result<ReplicaMemory> plan_replica_copy(std::size_t memory_bytes);

}  // namespace drs
