// A Source over a regular file or a block device: reads ahead through a ring, with O_DIRECT if possible.
#pragma once

#include <memory>
#include <string>

#include "io/ring.h"
#include "io/source.h"

namespace drs {

// `register_memory` contains all buffers and is registered with the ring; it may be empty. The proof is kFileEnd: every
// byte that the file had when it was opened was read, and conclude() found the file unchanged.
// Errors: kUsage for a directory, a FIFO or a terminal; kSource if the file cannot be opened.
Result<std::unique_ptr<Source>> make_file_source(const std::string& path, IoChoice choice,
                                                 MutableByteView register_memory);
// The same on the caller's ring, which must have kFileSourceRingDepth.
inline constexpr std::size_t kFileSourceRingDepth = 16;
Result<std::unique_ptr<Source>> make_file_source(const std::string& path, std::unique_ptr<Ring> ring,
                                                 MutableByteView register_memory);

}  // namespace drs
