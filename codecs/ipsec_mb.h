// What codecs/ uses of libipsec-mb. Internal to codecs/; where the library is not compiled in, ipsec_mb_absent.cc
// answers instead of ipsec_mb.cc, so nobody else needs to know.
#pragma once

#include <memory>
#include <string>

#include "codecs/aead_cipher.h"
#include "codecs/chunk_hash_engine.h"
#include "io/bytes.h"

namespace drs {

// Compiled in, and this CPU and the library's self-test are fit for it.
bool ipsec_mb_usable();

// "ipsec-mb 1.3.0 (avx512)", or empty when it is not usable.
std::string ipsec_mb_version();

// Both assert ipsec_mb_usable(). `key` is 32 bytes, borrowed.
std::unique_ptr<AeadCipher> make_ipsec_mb_cipher(ByteView key);
std::unique_ptr<ChunkHashEngine> make_ipsec_mb_hash_engine(ByteView key);

}  // namespace drs
