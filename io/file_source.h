// A Source over a regular file or a block device: read ahead through a ring, past the page cache where possible.
#pragma once

#include <memory>
#include <string>

#include "io/ring.h"
#include "io/source.h"

namespace drs {

// `register_memory` is where the buffers will lie (may be empty), for registered buffers. The proof is kFileEnd: every
// byte that the file had when it was opened, of a file that has not changed when conclude() looks.
// Errors: kUsage for a directory, a FIFO or a terminal; kSource when it cannot be opened.
Result<std::unique_ptr<Source>> make_file_source(const std::string& path, IoChoice choice,
                                                 MutableByteView register_memory);
// The same on a ring of the caller's, of kFileSourceRingDepth.
inline constexpr std::size_t kFileSourceRingDepth = 16;
Result<std::unique_ptr<Source>> make_file_source(const std::string& path, std::unique_ptr<Ring> ring,
                                                 MutableByteView register_memory);

}  // namespace drs
