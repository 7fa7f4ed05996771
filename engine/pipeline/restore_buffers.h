// Sizes of the buffers of a restore, for the memory sum and for the pipeline that carves them.
#pragma once

#include <cstddef>

#include "engine/format/kinds.h"
#include "engine/format/seal.h"

namespace drs {

// One read from a pack: a sealed block of the largest size, or several smaller neighbours.
inline constexpr std::size_t kSealedBufferBytes = kBlockBytesMax + 4096;
static_assert(kSealedBufferBytes >= kBlockBytesMax + kSealBytes);
// Compressed bytes between opening and decompressing, one such buffer for each worker.
inline constexpr std::size_t kRestoreScratchBytes = kBlockBytesMax;

}  // namespace drs
