#include "codecs/hmac_sha256.h"

#include "codecs/openssl_hmac.h"

namespace drs {

Digest hmac_sha256(ByteView key, ByteView message) {
  return OpensslHmac(key).compute(message);
}

}  // namespace drs
