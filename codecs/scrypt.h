// scrypt (RFC 7914): a key from a passphrase.
#pragma once

#include <cstddef>
#include <cstdint>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// Costs 128 * 2^log2_n * r bytes of memory: 128 MiB by default, and about half a second.
struct ScryptParameters {
  std::uint8_t log2_n = 17;
  std::uint32_t r = 8;
  std::uint32_t p = 1;
  friend bool operator==(const ScryptParameters&, const ScryptParameters&) = default;
};

// Parameters come from stored bytes, so absurd ones are refused before any work: log2_n must lie in 10..20, r in 1..32,
// p in 1..16, and the memory may not exceed 1 GiB. Errors: kCorrupt for those; kBusy if the memory is not there.
Result<SecretBytes> scrypt(ByteView passphrase, ByteView salt, ScryptParameters parameters, std::size_t out_bytes);

}  // namespace drs
