// How verify and scrub spend their memory ceiling.
#pragma once

#include <cstddef>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "io/buffer_pool.h"
#include "verify/object_scan.h"

namespace drs {

struct CheckMemory {
  std::size_t workers = 1;
  std::size_t piece_bytes = 0;         // of one read
  std::size_t headroom_bytes = 0;      // see ScanBuffers
  std::size_t block_buffer_bytes = 0;  // size of the plaintext and of the scratch buffer; 0 for scrub
  std::size_t index_cache_bytes = 0;
  std::size_t rebuild_blocks = 0;  // decoded blocks that a rebuild keeps

  [[nodiscard]] std::size_t worker_arena_bytes() const;
};

enum class CheckKind : std::uint8_t { kVerify, kScrub };

// What a plan depends on.
struct CheckLimits {
  std::size_t memory_bytes = 0;
  std::size_t threads = 0;           // 0: as many as the machine has cores
  std::uint64_t listed_objects = 0;  // stored objects that the run keeps a list of
  std::uint64_t largest_bytes = 0;   // size of the largest object that will be scanned
  std::size_t operation_bytes = 0;   // StoreTraits::operation_bytes
};

// Errors: as memory_beside_list.
Result<CheckMemory> plan_check(CheckKind kind, const CheckLimits& limits);

// The memory that the list of objects leaves. It takes 200 bytes an object; the program's own 32 MiB hold the first 16
// MiB of them. Errors: kUsage if the list takes more than half; the text states the --memory that is needed.
Result<std::size_t> memory_beside_list(const CheckLimits& limits);

// The payload buffers of all workers, in one mapping.
class CheckBuffers {
 public:
  struct Worker {
    ScanBuffers sweep;
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
