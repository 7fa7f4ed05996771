// HMAC-SHA-256 (RFC 2104) of one message. For many chunks see chunk_hasher.h.
#pragma once

#include "io/base/bytes.h"

namespace drs {

// The key may have any length, including zero. Thread-safe.
Digest hmac_sha256(ByteView key, ByteView message);

}  // namespace drs
