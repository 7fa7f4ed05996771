// Which library computes chunk ids and AES-256-GCM. Both give the same bytes (checked by a property test). ipsec-mb
// hashes up to 16 messages at a time and seals about three times as fast; OpenSSL is available everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace drs {

enum class CryptoBackend : std::uint8_t { kOpenssl, kIpsecMb };

// ipsec-mb if it was compiled in (CMake option DRSTREAM_IPSEC_MB, x86-64 only), this CPU has AES-NI and PCLMULQDQ, and
// the library's self-test passed; otherwise OpenSSL. Thread-safe.
CryptoBackend best_crypto_backend();

// "openssl" or "ipsec-mb".
std::string_view crypto_backend_name(CryptoBackend backend);

// The libraries in use, for logs and manifests: "OpenSSL 3.0.15 3 Sep 2024, ipsec-mb 1.3.0 (avx512)".
std::string crypto_library_versions();

}  // namespace drs
