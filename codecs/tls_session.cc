#include "codecs/tls_session.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

namespace drs {
namespace {

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

TlsSession describe_tls_session(const void* openssl_session) {
  const auto* const session = static_cast<const SSL*>(openssl_session);
  TlsSession out;
  out.version = SSL_get_version(session);
  const std::unique_ptr<X509, FreeCertificate> certificate(SSL_get1_peer_certificate(session));
  std::tm expires{};
  if (certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &expires) == 1)
    out.certificate_expires_ns = std::int64_t{::timegm(&expires)} * 1'000'000'000;
  return out;
}

}  // namespace drs
