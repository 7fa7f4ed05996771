// Built instead of the ipsec_mb sources if the library is disabled or the machine is not x86-64.
#include "codecs/ipsec_mb.h"

namespace drs {

bool ipsec_mb_usable() {
  return false;
}

std::string ipsec_mb_version() {
  return {};
}

std::unique_ptr<AeadCipher> make_ipsec_mb_cipher(ByteView) {
  DRS_ASSERT(ipsec_mb_usable(), "ipsec-mb is not compiled in");
  return nullptr;
}

std::unique_ptr<ChunkHashEngine> make_ipsec_mb_hash_engine(ByteView) {
  DRS_ASSERT(ipsec_mb_usable(), "ipsec-mb is not compiled in");
  return nullptr;
}

}  // namespace drs
