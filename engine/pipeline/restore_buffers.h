// Sizes of the buffers of a restore, for the memory sum and for the pipeline that carves them.
#pragma once

#include <cstddef>

#include "engine/format/kinds.h"
#include "engine/format/seal.h"
#include "io/file_system.h"

namespace drs {

// Reads begin and end at multiples of this, so that a local store can serve them past the page cache.
inline constexpr std::size_t kReadAlignment = kDirectAlignment;
// One read from a pack: a sealed block of the largest size, or several smaller neighbours, and what lies around them up
// to the alignment.
inline constexpr std::size_t kSealedBufferBytes = kBlockBytesMax + 3 * kReadAlignment;
static_assert(kSealedBufferBytes >= kBlockBytesMax + kSealBytes + 2 * kReadAlignment);
// Compressed bytes between opening and decompressing, one such buffer for each worker.
inline constexpr std::size_t kRestoreScratchBytes = kBlockBytesMax;

}  // namespace drs
