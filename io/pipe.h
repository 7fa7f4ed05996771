// Pipes: made with our descriptors out of the way of 0, 1 and 2, and as large as the kernel lets us.
#pragma once

#include <cstddef>
#include <string>

#include "io/cancel.h"
#include "io/fd.h"
#include "io/result.h"

namespace drs {

struct Pipe {
  Fd read_end;
  Fd write_end;
};
// Both ends O_CLOEXEC, blocking and numbered 3 or higher. Errors: kIo.
Result<Pipe> make_pipe();

// Moves a descriptor to 3 or higher, O_CLOEXEC. Errors: kIo.
Result<Fd> above_standard(Fd fd);

// Opens a FIFO to be written to, as soon as it has a reader; non-blocking. Errors: kCancelled, kDenied, kIo.
Result<Fd> open_fifo_to_write(const std::string& path, const CancelToken& cancel);

Result<void> set_nonblocking(int fd);

// Asks for the largest pipe an ordinary user may have (1 MiB by default, against 64 KiB), which reads four times as
// fast; takes less where the user's budget is spent. Returns the capacity in bytes, 0 where `fd` is no pipe.
std::size_t enlarge_pipe(int fd);

}  // namespace drs
