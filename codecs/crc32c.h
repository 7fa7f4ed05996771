// CRC-32C (Castagnoli; RFC 3720, appendix B.4), with which Google Cloud Storage checks uploads. Detects transmission
// errors, not attacks.
#pragma once

#include <cstdint>

#include "io/base/bytes.h"

namespace drs {

// Continues the checksum `before` of the preceding bytes. Thread-safe. Uses the CPU's instruction if there is one.
std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);
// The same without the CPU's instruction.
std::uint32_t crc32c_portable(ByteView bytes, std::uint32_t before = 0);

}  // namespace drs
