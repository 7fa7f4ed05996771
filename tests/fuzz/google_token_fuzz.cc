// Access tokens as JSON, from a token endpoint, the metadata server or IAM: accepted tokens can be sent in a header.
//
// Input: one byte for the kind of document (modulo 2), then the document.
#include <algorithm>

#include "sinks/cloud/gcs/google_token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  if (size_bytes == 0) return 0;
  const drs::ByteView document{data + 1, size_bytes - 1};
  const drs::Result<drs::GoogleToken> token =
      data[0] % 2 == 0 ? drs::parse_token_answer(document, 1'000'000'000) : drs::parse_generated_token(document);
  if (!token.ok()) {
    DRS_ASSERT(token.error().code == drs::ErrorCode::kUnavailable, "unexpected error code");
    return 0;
  }
  const drs::ByteView text = token->text.view();
  DRS_ASSERT(token->expires_ns.has_value(), "a token without an expiry time");
  DRS_ASSERT(!text.empty() && std::all_of(text.begin(), text.end(), [](drs::Byte b) { return b > ' ' && b <= '~'; }),
             "a token that cannot be sent was accepted");
  return 0;
}
