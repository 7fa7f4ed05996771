// Pipes: created with descriptors above 0, 1 and 2, and enlarged as far as the kernel allows.
#pragma once

#include <cstddef>
#include <string>

#include "io/base/cancel.h"
#include "io/base/result.h"
#include "io/fd.h"

namespace drs {

struct Pipe {
  Fd read_end;
  Fd write_end;
};
// Both ends O_CLOEXEC, blocking and numbered 3 or higher. Errors: kIo.
Result<Pipe> make_pipe();

// Moves a descriptor to 3 or higher, O_CLOEXEC. Errors: kIo.
Result<Fd> above_standard(Fd fd);

// Waits until the FIFO has a reader, and opens it for writing, non-blocking. Errors: kCancelled, kNotFound, kDenied,
// kIo.
Result<Fd> open_fifo_to_write(const std::string& path, const CancelToken& cancel);

Result<void> set_nonblocking(int fd);

// Enlarges the pipe to the most that an unprivileged user may have (by default 1 MiB instead of 64 KiB), which makes
// reads four times as fast; less if the user's budget for pipe pages is spent. Returns the capacity in bytes, 0 if `fd`
// is not a pipe.
std::size_t enlarge_pipe(int fd);

}  // namespace drs
