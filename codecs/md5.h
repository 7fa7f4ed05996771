// MD5 (RFC 1321), for the header Content-MD5 of servers without a better checksum. Detects accidental damage, not
// tampering. Computed by OpenSSL.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "io/base/bytes.h"

namespace drs {

using Md5Digest = std::array<Byte, 16>;

// The digest of the concatenated pieces. Returns nullopt if OpenSSL does not offer MD5 (FIPS).
std::optional<Md5Digest> md5(std::span<const ByteView> pieces);

}  // namespace drs
