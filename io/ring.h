// Ring: asynchronous reads, writes and syncs of open files. One interface over io_uring, over plain system calls on a
// few threads, and over a simulated disk, so that everything above runs and is tested the same on each.
//
// An IoOperation is a struct of the caller's. `submit` queues it; `run` hands queued operations to the kernel, waits if
// asked, and calls `done` for each completed one, never from inside `submit`. A cancelled or failed operation completes
// like any other. The bytes it names belong to the ring from `submit` until `done`.
// A ring destroyed with operations in flight waits until their bytes are no longer touched and forgets them: no `done`.
// Threads: one thread at a time uses a ring; a ring that moves to another thread must be idle.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

enum class IoKind : std::uint8_t { kRead, kWrite, kSyncData };

struct IoOperation {
  IoKind kind = IoKind::kRead;
  int fd = -1;
  std::uint64_t offset_bytes = 0;
  MutableByteView bytes;    // filled by kRead, read by kWrite, unused by kSyncData
  std::int64_t result = 0;  // bytes moved, or -errno; valid in `done`. A short count is not an error here.
  void (*done)(IoOperation&) = nullptr;
  void* owner = nullptr;        // the caller's own
  IoOperation* next = nullptr;  // the ring's own, until done
};

enum class IoBackend : std::uint8_t { kUring, kPosix, kSim };
std::string_view io_backend_name(IoBackend backend);  // "uring", "posix", "sim"

enum class IoChoice : std::uint8_t { kAuto, kUring, kPosix };

class Ring {
 public:
  virtual ~Ring() = default;
  virtual void submit(IoOperation& operation) = 0;
  // Starts what is queued; with `wait` and something in flight, blocks until at least one operation completes. Then
  // calls `done` of all completed. Returns how many completed. Errors: kIo when the ring itself failed.
  virtual Result<std::size_t> run(bool wait) = 0;
  [[nodiscard]] virtual std::size_t in_flight() const = 0;
  // Registers memory that operations will name (io_uring fixed buffers). Best effort: returns false where the kernel or
  // its memory-lock limit refuses, and everything still works. Call once, while idle.
  virtual bool register_memory(MutableByteView memory) = 0;
  [[nodiscard]] virtual IoBackend backend() const = 0;
  [[nodiscard]] virtual bool memory_registered() const = 0;
};

// What the start-up probe found: which backend `auto` takes and, where io_uring is refused, why (the errno's text and
// the likely cause: a container's seccomp filter, kernel.io_uring_disabled, an old kernel).
struct RingProbe {
  bool uring_usable = false;
  std::string reason;  // empty when usable
};
// Creates a ring, runs a NOP and a read on it. Cached after the first call. Any thread.
const RingProbe& probe_uring();

// For evidence: "io_uring, registered buffers, O_DIRECT, depth 16".
std::string describe_io(const Ring& ring, bool direct, std::size_t depth);

// Errors: kUsage when kUring is forced and unusable (the text has the probe's reason).
Result<std::unique_ptr<Ring>> make_ring(IoChoice choice, std::size_t depth);

}  // namespace drs
