// One call of an OpenSSL key derivation function. Internal to codecs/.
#pragma once

#include <openssl/types.h>

#include "io/base/bytes.h"

namespace drs {

// Fills `out` with the output of the KDF `name` for `parameters` (terminated by OSSL_PARAM_construct_end). Returns
// false if OpenSSL refuses or is out of memory.
[[nodiscard]] bool openssl_kdf(const char* name, const OSSL_PARAM* parameters, MutableByteView out);

// An octet string parameter. OpenSSL takes a non-const pointer but only reads.
OSSL_PARAM kdf_bytes(const char* key, ByteView bytes);

}  // namespace drs
