// CRC-32C (Castagnoli; RFC 3720, appendix B.4): what Google Cloud Storage checks uploads with. Against damage on the
// way, not against an attacker.
#pragma once

#include <cstdint>

#include "io/bytes.h"

namespace drs {

// Of bytes that follow those whose checksum is `before`. Any thread. By the processor's own instruction where it has
// one.
std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);
// The same without that instruction.
std::uint32_t crc32c_portable(ByteView bytes, std::uint32_t before = 0);

}  // namespace drs
