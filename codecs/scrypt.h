// scrypt (RFC 7914): derives a key from a passphrase.
#pragma once

#include <cstddef>
#include <cstdint>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// Needs 128 * 2^log2_n * r bytes of memory: 128 MiB by default, and about half a second.
struct ScryptParameters {
  std::uint8_t log2_n = 17;
  std::uint32_t r = 8;
  std::uint32_t p = 1;
  friend bool operator==(const ScryptParameters&, const ScryptParameters&) = default;
};

// Parameters come from stored bytes, so values out of range are refused before any work: log2_n must be in 10..20, r in
// 1..32, p in 1..16, and the memory at most 1 GiB. Errors: kCorrupt for those; kBusy if out of memory.
Result<SecretBytes> scrypt(ByteView passphrase, ByteView salt, ScryptParameters parameters, std::size_t out_bytes);

}  // namespace drs
