// Properties of a TLS connection, from OpenSSL. For display only, not for security decisions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace drs {

struct TlsSession {
  std::string version;                                 // "TLSv1.3"
  std::optional<std::int64_t> certificate_expires_ns;  // of the server's certificate, since 1970-01-01 UTC
};

// `openssl_session`: an SSL* after its handshake, from a library that uses OpenSSL; borrowed.
TlsSession describe_tls_session(const void* openssl_session);

}  // namespace drs
