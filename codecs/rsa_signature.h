// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017), called RS256 in JSON Web Tokens: proves that a Google service account
// holds its key. Computed by OpenSSL. Thread-safe.
#pragma once

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// `pem`: an RSA private key without a passphrase, PKCS #8 or PKCS #1. Errors: kUsage for anything else; the text never
// contains a part of the key.
Result<Bytes> sign_rsa_sha256(ByteView pem, ByteView message);

}  // namespace drs
