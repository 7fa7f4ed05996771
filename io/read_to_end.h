// Reads a small file in full; it may be a FIFO or /dev/fd/N. A cancel ends the wait for a writer or for its bytes:
// neither open() nor read() blocks.
#pragma once

#include <cstddef>
#include <string>

#include "io/base/bytes.h"
#include "io/base/cancel.h"
#include "io/base/result.h"
#include "io/fd.h"

namespace drs {

// Errors: kNotFound, kDenied, kIo.
Result<Fd> open_to_read(const std::string& path);

// Reads all bytes of a file opened by open_to_read, or the first `bytes_max`: pass one more than is acceptable, to
// detect a file that is too long. `cancel` has no effect on a regular file. Errors: kCancelled, kIo.
Result<SecretBytes> read_to_end(const Fd& file, std::size_t bytes_max, CancelToken& cancel);

}  // namespace drs
