#include "codecs/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace drs {

std::string to_base64(ByteView bytes) {
  // EVP_EncodeBlock appends a zero byte; std::string has room for it.
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  return text;
}

std::string to_base64_url(ByteView bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

}  // namespace drs
