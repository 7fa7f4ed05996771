// HMAC-SHA-256 (RFC 2104) of one message. For many chunks at once see chunk_hasher.h.
#pragma once

#include "io/bytes.h"

namespace drs {

// Any key length, also zero. Any thread.
Digest hmac_sha256(ByteView key, ByteView message);

}  // namespace drs
