// How verify and scrub spend their memory ceiling.
#pragma once

#include <cstddef>
#include <vector>

#include "io/buffer_pool.h"
#include "io/bytes.h"
#include "io/result.h"
#include "verify/object_sweep.h"

namespace drs {

struct CheckMemory {
  std::size_t workers = 1;
  std::size_t piece_bytes = 0;         // read at once
  std::size_t headroom_bytes = 0;      // see SweepBuffers
  std::size_t block_buffer_bytes = 0;  // of the decoded and of the decompressor's buffer; 0 for scrub
  std::size_t index_cache_bytes = 0;
  std::size_t rebuild_blocks = 0;  // decoded blocks that a rebuild keeps

  [[nodiscard]] std::size_t worker_arena_bytes() const;
};

enum class CheckKind : std::uint8_t { kVerify, kScrub };

// `threads`: 0 for the machine's. `largest_bytes`: size of the largest object that will be swept. `operation_bytes`:
// ObjectStore::operation_bytes.
CheckMemory plan_check(CheckKind kind, std::size_t memory_bytes, std::size_t threads, std::uint64_t largest_bytes,
                       std::size_t operation_bytes);

// What is left of the ceiling beside the list of `objects` stored objects: 200 bytes each, of which the program's own
// 32 MiB hold some. Errors: kUsage when the list takes more than half; the text says how much --memory is needed.
Result<std::size_t> memory_beside_list(std::uint64_t objects, std::size_t memory_bytes);

// The payload buffers of each worker, out of one mapping.
class CheckBuffers {
 public:
  struct Worker {
    SweepBuffers sweep;
    MutableByteView plain;
    MutableByteView scratch;
  };
  // Errors: kBusy (no memory).
  static Result<CheckBuffers> map(const CheckMemory& memory);
  [[nodiscard]] const Worker& worker(std::size_t number) const { return workers_[number]; }
  [[nodiscard]] MutableByteView whole() const { return arena_.whole(); }  // for ObjectStore::register_memory

 private:
  explicit CheckBuffers(BufferArena arena) : arena_(std::move(arena)) {}
  BufferArena arena_;
  std::vector<Worker> workers_;
};

}  // namespace drs
