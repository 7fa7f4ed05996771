// Sink: where restored bytes leave, in order. Nothing is promised to the reader until `commit` succeeded.
// Threads: one thread at a time, except `cancel`, from any thread.
#pragma once

#include <string>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

class Sink {
 public:
  virtual ~Sink() = default;
  // Takes all of `bytes` (borrowed until return). Errors: kSinkClosed (the reader or consumer went away), kNoSpace,
  // kDenied, kIo, kCancelled.
  virtual Result<void> write(ByteView bytes) = 0;
  // The stream is whole and checked: makes it final. A file is synced and takes its name; a consumer's stdin is closed
  // and its exit status awaited (kSinkClosed when it is not 0, with the last of its stderr).
  virtual Result<void> commit() = 0;
  // The stream is damaged or cut short: a file under its temporary name is removed; a consumer is killed and reaped, so
  // that it cannot take the end of the pipe for the end of the data.
  virtual void abandon() = 0;
  virtual void cancel() = 0;
  [[nodiscard]] virtual std::string name() const = 0;
  // How the bytes are written, for evidence: "io_uring, registered buffers, O_DIRECT, depth 4".
  [[nodiscard]] virtual std::string io_description() const { return "write"; }
};

}  // namespace drs
