// The interface of codecs/ to libipsec-mb. Internal to codecs/. If the library is not compiled in, ipsec_mb_absent.cc
// replaces ipsec_mb.cc.
#pragma once

#include <memory>
#include <string>

#include "codecs/aead_cipher.h"
#include "codecs/chunk_hash_engine.h"
#include "io/base/bytes.h"

namespace drs {

// True if ipsec-mb is compiled in, this CPU supports it, and its self-test passed.
bool ipsec_mb_usable();

// "ipsec-mb 1.3.0 (avx512)", or empty if it is not usable.
std::string ipsec_mb_version();

// Both assert ipsec_mb_usable(). `key` has 32 bytes and is borrowed.
std::unique_ptr<AeadCipher> make_ipsec_mb_cipher(ByteView key);
std::unique_ptr<ChunkHashEngine> make_ipsec_mb_hash_engine(ByteView key);

}  // namespace drs
