// What a TLS connection was made with, asked of OpenSSL: for showing, not for deciding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace drs {

struct TlsSession {
  std::string version;                                 // "TLSv1.3"
  std::optional<std::int64_t> certificate_expires_ns;  // the server's own, since 1970
};

// `openssl_session`: an SSL* with a handshake done, as libraries that use OpenSSL hand it out; borrowed.
TlsSession describe_tls_session(const void* openssl_session);

}  // namespace drs
