// GoogleToken: the OAuth 2.0 access token that stands in requests to Google, and the answers in which it comes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/bytes.h"
#include "io/result.h"
#include "sinks/credentials_provider.h"
#include "sinks/http_message.h"

namespace drs {

// Reading, writing and removing objects, no more.
inline constexpr std::string_view kStorageScope = "https://www.googleapis.com/auth/devstorage.read_write";

struct GoogleToken {
  SecretBytes text;                        // what stands behind "Bearer"
  std::optional<std::int64_t> expires_ns;  // since 1970
  std::string origin;                      // for messages: "the metadata server"
};

bool same_credentials(const GoogleToken& a, const GoogleToken& b);
using GoogleTokenProvider = CredentialsProvider<GoogleToken>;

// From {"access_token", "expires_in", "token_type"}, as token endpoints, STS and the metadata server answer (RFC 6749,
// section 5.1), at `now_ns`. `origin` is left to the caller. Errors: kUnavailable; no text repeats a value.
Result<GoogleToken> parse_token_answer(ByteView json, std::int64_t now_ns);
// From {"accessToken", "expireTime"}, as generateAccessToken of IAM answers. Likewise.
Result<GoogleToken> parse_generated_token(ByteView json);

// What an answer that is no success means; `who` gave it ("the token endpoint oauth2.googleapis.com"). kUnavailable
// where it may pass, else kDenied with what to do. `now_ns` is this machine's clock, which a refusal may be due to.
Error token_refusal(std::string_view who, const HttpResponse& response, std::int64_t now_ns);

}  // namespace drs
