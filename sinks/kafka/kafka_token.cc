#include "sinks/kafka/kafka_token.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "io/command_output.h"
#include "sinks/transport/json_answer.h"

namespace drs {
namespace {

constexpr std::size_t kTokenBytesMax = 64 * kKiB;
constexpr std::int64_t kExpiryMsMax = 1'000'000'000'000'000;  // the year 33658

Error usage(std::string text) {
  return Error(ErrorCode::kUsage, std::move(text));
}

int base64_url_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-' || c == '+') return 62;
  if (c == '_' || c == '/') return 63;
  return -1;
}

std::optional<Bytes> from_base64_url(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  Bytes out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_url_digit(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xFFFFFF;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<Byte>(bits >> count));
    }
  }
  return out;
}

// The claims of a JSON Web Token (RFC 7519); none if it is not one. Its signature is the broker's concern.
std::optional<nlohmann::json> claims_of(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::optional<Bytes> claims = from_base64_url(token.substr(first + 1, second - first - 1));
  if (!claims) return std::nullopt;
  return read_json_object(*claims);
}

// A member that is a point in time, in units of `unit_ms`; 0 if there is none.
std::int64_t time_ms(const nlohmann::json& object, const char* name, std::int64_t unit_ms) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return 0;
  const double ms = found->get<double>() * static_cast<double>(unit_ms);
  return ms > 0 && ms < static_cast<double>(kExpiryMsMax) ? static_cast<std::int64_t>(ms) : 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  return text;
}

// Takes what the claims say of what is not known yet.
void complete_from_claims(KafkaToken& token) {
  const std::optional<nlohmann::json> claims = claims_of(as_text(token.token.view()));
  if (!claims) return;
  if (token.expires_ms == 0) token.expires_ms = time_ms(*claims, "exp", 1000);
  if (token.principal.empty()) token.principal = json_text_or(*claims, "sub");
}

}  // namespace

Result<KafkaToken> parse_kafka_token(ByteView output) {
  const std::string_view text = trimmed(as_text(output));
  KafkaToken token;
  if (text.starts_with('{')) {
    std::optional<nlohmann::json> object = read_json_object(as_bytes(text));
    if (!object) return usage("the token command printed broken JSON");
    token.token = take_json_secret(*object, "token");
    token.expires_ms = time_ms(*object, "expires_ms", 1);
    token.principal = json_text_or(*object, "principal");
  } else {
    token.token = SecretBytes::copy_of(as_bytes(text));
  }
  if (token.token.empty())
    return usage(R"(the token command printed no token: expected {"token": ..., "expires_ms": ...} or a JWT)");
  complete_from_claims(token);
  if (token.expires_ms == 0)
    return usage("the token command printed no \"expires_ms\", and the token is no JWT with a claim \"exp\"");
  if (token.principal.empty()) token.principal = "drstream";
  return token;
}

Result<KafkaToken> fetch_kafka_token(const std::string& command, ChildOptions child, CancelToken& cancel) {
  child.argv = {"/bin/sh", "-c", command};
  Result<SecretBytes> output = command_output(child, kTokenBytesMax, cancel);
  if (!output.ok()) return std::move(output).error().with_context("token_command");
  return parse_kafka_token(output->view());
}

}  // namespace drs
