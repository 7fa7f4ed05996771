// Sink: the destination of restored bytes, written in order. The output is not valid until `commit` has succeeded.
// Threads: one thread at a time; `cancel` may be called from any thread.
#pragma once

#include <string>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

class Sink {
 public:
  virtual ~Sink() = default;
  // Writes all of `bytes` (borrowed until return). Errors: kSinkClosed (the reader closed its end, or the consumer
  // stopped), kNoSpace, kDenied, kIo, kCancelled.
  virtual Result<void> write(ByteView bytes) = 0;
  // Call when the stream is complete and verified. A file is synced and renamed to its final name. A consumer's stdin
  // is closed and its exit status awaited (kSinkClosed if it is not 0, with the tail of its stderr).
  virtual Result<void> commit() = 0;
  // Call when the stream is damaged or truncated. A temporary file is removed. A consumer is killed and reaped, so that
  // it cannot mistake the end of the pipe for the end of the data.
  virtual void abandon() = 0;
  virtual void cancel() = 0;
  [[nodiscard]] virtual std::string name() const = 0;
  // How the bytes are written, for evidence: "io_uring, registered buffers, O_DIRECT, depth 4".
  [[nodiscard]] virtual std::string io_description() const { return "write"; }
};

}  // namespace drs
