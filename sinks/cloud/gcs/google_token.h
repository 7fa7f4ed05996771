// GoogleToken: the OAuth 2.0 access token in requests to Google, and the answers that contain one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/transport/credentials_provider.h"
#include "sinks/transport/http_message.h"

namespace drs {

// Permits reading, writing and removing objects only.
inline constexpr std::string_view kStorageScope = "https://www.googleapis.com/auth/devstorage.read_write";

struct GoogleToken {
  SecretBytes text;                        // the text after "Bearer"
  std::optional<std::int64_t> expires_ns;  // since 1970
  std::string origin;                      // for messages: "the metadata server"
};

bool same_credentials(const GoogleToken& a, const GoogleToken& b);
using GoogleTokenProvider = CredentialsProvider<GoogleToken>;

// Parses {"access_token", "expires_in", "token_type"}, the answer of token endpoints, STS and the metadata server (RFC
// 6749, section 5.1), at `now_ns`. The caller sets `origin`. Errors: kUnavailable; no text repeats a value.
Result<GoogleToken> parse_token_answer(ByteView json, std::int64_t now_ns);
// Parses {"accessToken", "expireTime"}, the answer of generateAccessToken of IAM. Likewise.
Result<GoogleToken> parse_generated_token(ByteView json);

// The error for an answer that is not a success, from `who` ("the token endpoint oauth2.googleapis.com"): kUnavailable
// if it may be temporary, else kDenied with advice. `now_ns` is the clock of this machine, which may be the cause of a
// refusal.
Error token_refusal(std::string_view who, const HttpResponse& response, std::int64_t now_ns);

}  // namespace drs
