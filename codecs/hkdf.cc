#include "codecs/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "codecs/allocated.h"
#include "codecs/openssl_kdf.h"

namespace drs {

void hkdf_sha256(ByteView key, ByteView salt, ByteView info, MutableByteView out) {
  DRS_ASSERT(!key.empty(), "HKDF from an empty key");
  DRS_ASSERT(info.size() <= kHkdfInfoBytesMax, "HKDF label too long");
  DRS_ASSERT(!out.empty() && out.size() <= kHkdfOutputBytesMax, "HKDF output length out of range");
  char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
                                   kdf_bytes(OSSL_KDF_PARAM_KEY, key), kdf_bytes(OSSL_KDF_PARAM_SALT, salt),
                                   kdf_bytes(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  had_memory(openssl_kdf("HKDF", parameters, out));
}

}  // namespace drs
