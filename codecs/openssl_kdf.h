// One call of an OpenSSL key derivation function. Internal to codecs/.
#pragma once

#include <openssl/types.h>

#include "io/bytes.h"

namespace drs {

// Fills `out` with what the KDF called `name` derives from `parameters` (ended by OSSL_PARAM_construct_end). False when
// OpenSSL refuses or has no memory.
[[nodiscard]] bool openssl_kdf(const char* name, const OSSL_PARAM* parameters, MutableByteView out);

// An octet string parameter. OpenSSL takes a pointer to non-const but only reads.
OSSL_PARAM kdf_bytes(const char* key, ByteView bytes);

}  // namespace drs
