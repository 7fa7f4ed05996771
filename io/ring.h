// Ring: asynchronous reads, writes and syncs of open files. One interface over io_uring, over plain system calls on a
// few threads, and over a simulated disk, so that all code above runs and is tested the same on each.
//
// The caller owns the IoOperation. `submit` queues it. `run` hands queued operations to the kernel, waits if asked to,
// and calls `done` for each completed one, never from inside `submit`. A cancelled or failed operation completes like
// any other. The operation's bytes belong to the ring from `submit` until `done`.
// A ring destroyed with operations in flight waits until their bytes are no longer accessed, and does not call `done`.
// Threads: one thread at a time; the ring must be idle when it moves to another thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "io/base/wait.h"

namespace drs {

enum class IoKind : std::uint8_t { kRead, kWrite, kSyncData };

struct IoOperation {
  IoKind kind = IoKind::kRead;
  int fd = -1;
  std::uint64_t offset_bytes = 0;
  MutableByteView bytes;    // filled by kRead, read by kWrite, unused by kSyncData
  std::int64_t result = 0;  // bytes moved, or -errno; valid in `done`. A short count is not an error here.
  void (*done)(IoOperation&) = nullptr;
  void* owner = nullptr;        // for the caller
  IoOperation* next = nullptr;  // for the ring, until `done`
};

enum class IoBackend : std::uint8_t { kUring, kPosix, kSim };
std::string_view io_backend_name(IoBackend backend);  // "uring", "posix", "sim"

enum class IoChoice : std::uint8_t { kAuto, kUring, kPosix };

class Ring {
 public:
  virtual ~Ring() = default;
  virtual void submit(IoOperation& operation) = 0;
  // Starts the queued operations. With kForOne, and if any is in flight, blocks until at least one completes. Then
  // calls `done` of each completed one and returns their count. Errors: kIo if the ring itself failed; kBusy if
  // PosixRing cannot start a thread.
  virtual Result<std::size_t> run(Wait wait) = 0;
  [[nodiscard]] virtual std::size_t in_flight() const = 0;
  // Registers memory that operations will use (io_uring fixed buffers). Best effort: returns false if the kernel or the
  // limit on locked memory refuses, and operations still work. Call once, while idle.
  virtual bool register_memory(MutableByteView memory) = 0;
  [[nodiscard]] virtual IoBackend backend() const = 0;
  [[nodiscard]] virtual bool memory_registered() const = 0;
};

// The result of the start-up probe: whether `auto` uses io_uring and, if not, why (the text of the errno and the likely
// cause: a container's seccomp filter, kernel.io_uring_disabled, an old kernel).
struct RingProbe {
  bool uring_usable = false;
  std::string reason;  // empty when usable
};
// Creates a ring and runs a read on it. Cached after the first call. Thread-safe.
const RingProbe& probe_uring();

struct IoShape {
  bool direct = false;
  std::size_t depth = 0;  // operations in flight at once
};
// For evidence: "io_uring, registered buffers, O_DIRECT, depth 16".
std::string describe_io(const Ring& ring, const IoShape& shape);

// Errors: kUsage if `choice` is kUring and io_uring is unusable (the text has the probe's reason); kIo.
Result<std::unique_ptr<Ring>> make_ring(IoChoice choice, std::size_t depth);

}  // namespace drs
