#include "codecs/scrypt.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <cerrno>

#include "codecs/openssl_kdf.h"

namespace drs {
namespace {

constexpr std::uint64_t kMemoryBytesMax = kGiB;

bool reasonable(const ScryptParameters& parameters) {
  return parameters.log2_n >= 10 && parameters.log2_n <= 20 && parameters.r >= 1 && parameters.r <= 32 &&
         parameters.p >= 1 && parameters.p <= 16 &&
         (std::uint64_t{128} << parameters.log2_n) * parameters.r <= kMemoryBytesMax;
}

}  // namespace

Result<SecretBytes> scrypt(ByteView passphrase, ByteView salt, ScryptParameters parameters, std::size_t out_bytes) {
  if (!reasonable(parameters)) return Error(ErrorCode::kCorrupt, "scrypt: parameters out of range");
  std::uint64_t n = std::uint64_t{1} << parameters.log2_n;
  // OpenSSL's limit also covers the p input blocks and a scratch block.
  std::uint64_t memory_bytes_max = kMemoryBytesMax + kMiB;
  const OSSL_PARAM openssl_parameters[] = {kdf_bytes(OSSL_KDF_PARAM_PASSWORD, passphrase),
                                           kdf_bytes(OSSL_KDF_PARAM_SALT, salt),
                                           OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
                                           OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &parameters.r),
                                           OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &parameters.p),
                                           OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_bytes_max),
                                           OSSL_PARAM_construct_end()};
  SecretBytes out(out_bytes);
  if (!openssl_kdf("SCRYPT", openssl_parameters, out.mutable_view())) {
    return Error(
        ErrorCode::kBusy,
        "scrypt is out of memory: it needs " + std::to_string(((128 * n * parameters.r) + kMiB - 1) / kMiB) + " MiB",
        ENOMEM);
  }
  return out;
}

}  // namespace drs
