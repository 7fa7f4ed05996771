// Source: where plaintext enters. It fills buffers of the caller's in order; several may be under way, so that a file
// is read ahead of the work. After the end it tells how sure we are that the producer finished. Threads: one thread at
// a time, except `cancel`, which any thread and a signal handler's thread may call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// What proves that the producer finished. Stored in the manifest.
struct ProducerProof {
  enum class Kind : std::uint8_t { kUnseen = 0, kExitStatus = 1, kFileEnd = 2 };  // stored; FORMAT.md "Manifest"
  Kind kind = Kind::kUnseen;  // kUnseen: a plain pipe cannot tell a dead producer from a finished one
  std::string command;        // the child's argv[0] and arguments, for kExitStatus
  int exit_status = 0;        // 0 always, where a snapshot was committed
  std::string stderr_tail;    // the last of what the child said, at most 4 KiB
};

class Source {
 public:
  virtual ~Source() = default;
  // Gives the source a buffer to fill, its own until finish() returned. At most read_ahead_max() may be started and not
  // finished. A direct file wants addresses and sizes in multiples of 4096; the last buffer before the end is filled
  // partly.
  virtual void start(MutableByteView buffer) = 0;
  // Waits for the oldest started buffer and returns how many bytes it holds: full, or fewer only at the end, 0 after
  // it. Errors: kSource (the source failed; errno in the text), kCancelled. An error is the end: no started buffer is
  // touched any more, and nothing further can be read.
  virtual Result<std::size_t> finish() = 0;
  [[nodiscard]] virtual std::size_t read_ahead_max() const = 0;
  // After finish() returned fewer bytes than asked: waits for the producer and says how it ended. Errors: kSource with
  // its exit status or signal and the last of its stderr, when it did not end well.
  virtual Result<ProducerProof> conclude() = 0;
  // Total bytes where known beforehand (a regular file).
  [[nodiscard]] virtual std::optional<std::uint64_t> size_hint_bytes() const = 0;
  // Makes a blocked or later finish() return kCancelled soon; a child is terminated (TERM, then KILL) and reaped by
  // conclude() or the destructor.
  virtual void cancel() = 0;
  // False when bytes reach the buffers without a CPU copying them (O_DIRECT).
  [[nodiscard]] virtual bool reads_copy() const { return true; }
  // "stdin", "file /x", "exec pg_dump": for messages.
  [[nodiscard]] virtual std::string name() const = 0;
  // How the bytes are read, for evidence: "io_uring, registered buffers, O_DIRECT, depth 16".
  [[nodiscard]] virtual std::string io_description() const { return "read"; }
};

}  // namespace drs
