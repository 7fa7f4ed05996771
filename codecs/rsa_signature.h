// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017), which JSON Web Tokens call RS256: how a service account of Google proves
// that it has its key. Computed by OpenSSL. Any thread.
#pragma once

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// `pem`: an RSA private key without a passphrase, PKCS #8 or PKCS #1. Errors: kUsage for anything else; no text holds a
// part of it.
Result<Bytes> sign_rsa_sha256(ByteView pem, ByteView message);

}  // namespace drs
