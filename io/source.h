// Source: where plaintext enters. It fills the caller's buffers in order; several may be in flight, so that a file is
// read ahead. After the end it reports what proves that the producer finished. Threads: one thread at a time; `cancel`
// may be called from any thread, but not from a signal handler.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// What proves that the producer finished. Stored in the manifest.
struct ProducerProof {
  enum class Kind : std::uint8_t { kUnseen = 0, kExitStatus = 1, kFileEnd = 2 };  // stored; FORMAT.md "Manifest"
  Kind kind = Kind::kUnseen;  // kUnseen: over a plain pipe, a dead producer looks like a finished one
  std::string command;        // the child's argv[0] and arguments, for kExitStatus
  int exit_status = 0;        // always 0 in a committed snapshot
  std::string stderr_tail;    // the tail of the child's stderr, at most 4 KiB
};

class Source {
 public:
  virtual ~Source() = default;
  // Gives the source a buffer to fill; it belongs to the source until finish() returns it. At most read_ahead_max()
  // buffers may be started and not finished. For O_DIRECT, address and size must be multiples of kPageBytes; the last
  // buffer before the end is filled partly.
  virtual void start(MutableByteView buffer) = 0;
  // Waits for the oldest started buffer and returns how many bytes it holds: all of it, fewer only at the end of the
  // stream, 0 after the end. Errors: kSource (the source failed; errno in the text), kCancelled. An error is final: no
  // started buffer is accessed afterwards, and nothing more can be read.
  virtual Result<std::size_t> finish() = 0;
  [[nodiscard]] virtual std::size_t read_ahead_max() const = 0;
  // Call after finish() returned fewer bytes than the buffer has. Waits for the producer and returns how it ended.
  // Errors: kSource with its exit status or signal and the tail of its stderr, if it failed.
  virtual Result<ProducerProof> conclude() = 0;
  // The total size, if known beforehand (a regular file).
  [[nodiscard]] virtual std::optional<std::uint64_t> size_hint_bytes() const = 0;
  // Makes a blocked or later finish() return kCancelled soon. A child is terminated (SIGTERM, then SIGKILL), and reaped
  // by conclude() or the destructor.
  virtual void cancel() = 0;
  // False if bytes reach the buffers without a copy by the CPU (O_DIRECT).
  [[nodiscard]] virtual bool reads_copy() const { return true; }
  // "stdin", "file /x", "exec pg_dump": for messages.
  [[nodiscard]] virtual std::string name() const = 0;
  // How the bytes are read, for evidence: "io_uring, registered buffers, O_DIRECT, depth 16".
  [[nodiscard]] virtual std::string io_description() const { return "read"; }
};

}  // namespace drs
