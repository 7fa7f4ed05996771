// HKDF-SHA-256 (RFC 5869), extract and expand: derives every sub-key from the master key.
#pragma once

#include <cstddef>

#include "io/base/bytes.h"

namespace drs {

inline constexpr std::size_t kHkdfOutputBytesMax = std::size_t{255} * 32;
inline constexpr std::size_t kHkdfInfoBytesMax = 1024;

// Fills `out` (1 to kHkdfOutputBytesMax bytes) from `key` (not empty). An empty salt means 32 zero bytes, as in the
// RFC. `info` is the label, at most kHkdfInfoBytesMax bytes. Thread-safe.
void hkdf_sha256(ByteView key, ByteView salt, ByteView info, MutableByteView out);

}  // namespace drs
