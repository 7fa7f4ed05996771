// An OpenSSL HMAC-SHA-256 context that reuses its key for many messages. Internal to codecs/.
#pragma once

#include <openssl/types.h>

#include <memory>

#include "io/base/bytes.h"

namespace drs {

// OpenSSL clears the key when the context is freed. One instance, one thread.
class OpensslHmac {
 public:
  // Any key length; `key` is borrowed.
  explicit OpensslHmac(ByteView key);
  Digest compute(ByteView message);

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const;
  };
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

}  // namespace drs
