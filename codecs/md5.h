// MD5 (RFC 1321), for the header Content-MD5 of servers that know no better checksum: it shows accidents, not intent.
// Computed by OpenSSL.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "io/bytes.h"

namespace drs {

using Md5Digest = std::array<Byte, 16>;

// Of the pieces one after the other. Nothing where OpenSSL offers no MD5 (FIPS).
std::optional<Md5Digest> md5(std::span<const ByteView> pieces);

}  // namespace drs
