// Buffer sizes of a restore, for its memory plan and for the code that carves the buffers.
#pragma once

#include <cstddef>

#include "engine/format/kinds.h"
#include "engine/format/seal.h"
#include "io/file_system.h"

namespace drs {

// Reads begin and end at multiples of this, so that a local store can use direct I/O.
inline constexpr std::size_t kReadAlignment = kDirectAlignment;
// One read from a pack: a sealed block of the largest size, or several smaller neighbours, with the bytes around them
// up to the alignment.
inline constexpr std::size_t kSealedBufferBytes = kBlockBytesMax + 3 * kReadAlignment;
static_assert(kSealedBufferBytes >= kBlockBytesMax + kSealBytes + 2 * kReadAlignment);
// For a block that is opened and not yet decompressed: one buffer for each worker.
inline constexpr std::size_t kRestoreScratchBytes = kBlockBytesMax;

}  // namespace drs
