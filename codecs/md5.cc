#include "codecs/md5.h"

#include <openssl/evp.h>

#include <memory>

namespace drs {

std::optional<Md5Digest> md5(std::span<const ByteView> pieces) {
  const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm(EVP_MD_fetch(nullptr, "MD5", nullptr), EVP_MD_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Md5Digest digest{};
  bool good = algorithm && context && EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) == 1;
  for (const ByteView piece : pieces) good = good && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
  good = good && EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
  return good ? std::optional(digest) : std::nullopt;
}

}  // namespace drs
