#include "sinks/cloud/gcs/google_token.h"

#include <algorithm>
#include <cstdlib>

#include "sinks/cloud/gcs/gcs_json.h"
#include "sinks/transport/foreign_text.h"
#include "sinks/transport/http_client.h"
#include "sinks/transport/iso_time.h"
#include "sinks/transport/json_answer.h"
#include "sinks/transport/retried_fetch.h"

namespace drs {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kForeignTextBytesMax = 300;
constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kLifetimeSecondsMax = 1'000'000;
constexpr std::int64_t kSkewSecondsMax = 60;  // more than this is told

Error not_understood(std::string_view problem) {
  return {ErrorCode::kUnavailable, "the answer " + std::string(problem)};
}

Result<void> check_sendable(const SecretBytes& token) {
  const ByteView bytes = token.view();
  if (bytes.empty()) return not_understood("holds no access token");
  if (!std::all_of(bytes.begin(), bytes.end(), [](Byte b) { return b > ' ' && b <= '~'; }))
    return not_understood("holds an access token that cannot stand in a header");
  return {};
}

// "; this machine's clock is 400 s ahead", where it is.
std::string told_skew(const HttpResponse& response, std::int64_t now_ns) {
  for (const HttpHeader& header : response.headers) {
    if (header.name != "date") continue;
    const auto server = parse_http_date(header.value);
    if (!server) continue;
    const std::int64_t skew = (now_ns - *server) / kSecondNs;
    if (std::abs(skew) <= kSkewSecondsMax) continue;
    return "; this machine's clock is " + std::to_string(std::abs(skew)) + " s " + (skew < 0 ? "behind" : "ahead of") +
           " Google's: set it";
  }
  return "";
}

}  // namespace

bool same_credentials(const GoogleToken& a, const GoogleToken& b) {
  return equal_constant_time(a.text.view(), b.text.view());
}

Result<GoogleToken> parse_token_answer(ByteView json, std::int64_t now_ns) {
  std::optional<Json> document = read_json_object(json);
  if (!document) return not_understood("is no JSON object");
  GoogleToken out;
  out.text = take_json_secret(*document, "access_token");
  DRS_RETURN_IF_ERROR(check_sendable(out.text));
  const auto lifetime = document->find("expires_in");
  if (lifetime == document->end() || !lifetime->is_number_integer())
    return not_understood("does not say when the token expires");
  const auto seconds = lifetime->get<std::int64_t>();
  if (seconds <= 0 || seconds > kLifetimeSecondsMax) return not_understood("holds a token of an impossible lifetime");
  out.expires_ns = now_ns + seconds * kSecondNs;
  return out;
}

Result<GoogleToken> parse_generated_token(ByteView json) {
  std::optional<Json> document = read_json_object(json);
  if (!document) return not_understood("is no JSON object");
  GoogleToken out;
  out.text = take_json_secret(*document, "accessToken");
  DRS_RETURN_IF_ERROR(check_sendable(out.text));
  out.expires_ns = parse_iso_time(json_text_or(*document, "expireTime"));
  if (!out.expires_ns) return not_understood("does not say when the token expires");
  return out;
}

Error token_refusal(std::string_view who, const HttpResponse& response, std::int64_t now_ns) {
  std::string text = std::string(who) + " answered with status " + std::to_string(response.status);
  const ByteView body = response.body.view();
  std::string code;
  // Token endpoints say {"error": "invalid_grant", "error_description": "..."}, other services as the store does.
  if (const std::optional<Json> document = read_json_object(body)) {
    code = json_text_or(*document, "error");
    const std::string* const description = json_text(*document, "error_description");
    if (!code.empty()) text += ", " + foreign_text(code, kForeignTextBytesMax);
    if (description != nullptr) text += ": " + foreign_text(*description, kForeignTextBytesMax);
    if (code.empty()) {
      const GcsError error = parse_gcs_error(body);
      if (!error.reason.empty()) text += ", " + error.reason;
      if (!error.message.empty()) text += ": " + error.message;
    }
  }
  const bool passing =
      is_passing_status(response.status) || code == "internal_failure" || code == "temporarily_unavailable";
  if (passing) return {ErrorCode::kUnavailable, std::move(text)};
  const std::string skew = told_skew(response, now_ns);
  if (!skew.empty()) {
    text += skew;
  } else if (code == "invalid_grant") {
    text += "; the key, the login or the subject token is no longer good: make a new one";
  } else if (response.status == 403) {
    text += "; the identity needs roles/iam.serviceAccountTokenCreator on the service account";
  }
  return {ErrorCode::kDenied, std::move(text)};
}

}  // namespace drs
