// How a memory ceiling is spent: one commented sum per direction, made before anything is allocated.
//
// The ceiling covers the arena (all payload buffers), codec contexts, the deduplication index and caches. It does not
// cover the program itself (code, stacks, small objects: at most 32 MiB, tested), nor scrypt, which runs before.
#pragma once

#include <cstddef>
#include <string>

#include "codecs/compression.h"
#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

inline constexpr std::size_t kMemoryBytesMin = 96 * 1024 * 1024;
inline constexpr std::size_t kMemoryBytesDefault = 256 * 1024 * 1024;

// Segments carry the stream: data begins at kSegmentHeadroomBytes, so that the bytes left over from the segment before
// can be put in front of it and direct reads stay aligned.
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
  std::size_t spool_bytes = 0;        // for uploads from a spool
  std::size_t arena_bytes = 0;
  std::string notice;  // not empty: what was reduced, and why
};

// What a plan has to know of the store (ObjectStore::parallel_max, ObjectStore::operation_bytes).
struct StoreNeeds {
  std::size_t parallel_max = 1;
  std::size_t operation_bytes = 0;
  bool spooled = false;  // packs go to a spool on this machine, and from there to the store
};
inline StoreNeeds needs_of(const ObjectStore& store) {
  return {store.parallel_max(), store.operation_bytes()};
}

// `threads` is what the user asked for, or the machine's cores. Errors: kUsage below the floor, saying the floor.
Result<PushMemory> plan_push(std::size_t memory_bytes, std::size_t threads, CompressionChoice compression,
                             const StoreNeeds& store = {});

struct PullMemory {
  std::size_t workers = 0;
  std::size_t block_buffers = 0;   // decoded blocks, 1 MiB each: read-ahead and those kept for later
  std::size_t sealed_buffers = 0;  // blocks as stored, on their way in
  std::size_t read_ahead = 0;      // blocks that are asked for before their turn
  std::size_t index_cache_bytes = 0;
  std::size_t arena_bytes = 0;
  std::string notice;
};
// Also what verify uses.
Result<PullMemory> plan_pull(std::size_t memory_bytes, std::size_t threads, const StoreNeeds& store = {});

// A part of the ceiling for a push or a pull beside which something else runs; there is no floor. `ceiling` is what
// texts call it: "--memory 96 MiB".
struct MemoryShare {
  std::size_t bytes = 0;
  std::string ceiling;
  StoreNeeds store;
};
Result<PushMemory> plan_push_share(const MemoryShare& share, std::size_t threads, CompressionChoice compression);
PullMemory plan_pull_share(const MemoryShare& share, std::size_t threads);

// A copy into another repository is a pull that feeds a push.
struct CopyMemory {
  PullMemory pull;
  PushMemory push;
  std::string notice;
};
// Errors: as plan_push.
Result<CopyMemory> plan_copy(std::size_t memory_bytes, std::size_t threads, CompressionChoice compression,
                             const StoreNeeds& source = {}, const StoreNeeds& target = {});

// A copy into a replica moves whole objects.
struct ReplicaMemory {
  std::size_t index_cache_bytes = 0;
  std::size_t objects_bytes = 0;  // whole packs and index objects, and what the stores need to move them
};
// Errors: kUsage below the floor.
Result<ReplicaMemory> plan_replica_copy(std::size_t memory_bytes);

}  // namespace drs
