// Reading a small file whole that may be a FIFO or /dev/fd/N: what has no writer yet, or says nothing, is waited for
// until a cancel. Neither open() nor read() blocks.
#pragma once

#include <cstddef>
#include <string>

#include "io/bytes.h"
#include "io/cancel.h"
#include "io/fd.h"
#include "io/result.h"

namespace drs {

// Errors: kNotFound, kDenied, kIo.
Result<Fd> open_to_read(const std::string& path);

// All bytes of what open_to_read opened, or the first `bytes_max` of them: ask for one more than is accepted. A regular
// file is read whatever `cancel` says. Errors: kCancelled; kIo.
Result<SecretBytes> read_to_end(const Fd& file, std::size_t bytes_max, CancelToken& cancel);

}  // namespace drs
