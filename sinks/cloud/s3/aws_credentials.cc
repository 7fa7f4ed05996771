#include "sinks/cloud/s3/aws_credentials.h"

#include <algorithm>

#include "sinks/transport/foreign_text.h"
#include "sinks/transport/iso_time.h"
#include "sinks/transport/json_answer.h"

namespace drs {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kForeignTextBytesMax = 300;

Error answer_error(std::string text) {
  return Error(ErrorCode::kUnavailable, std::move(text));
}

Error missing(const char* name) {
  return answer_error(std::string("the answer holds no ") + name);
}

// The error that the service itself reports, if any.
std::optional<Error> reported_error(Json& document) {
  const std::string* code = json_text(document, "Code");
  if (code == nullptr) code = json_text(document, "code");
  if (code == nullptr || *code == "Success") return std::nullopt;
  const std::string* message = json_text(document, "Message");
  if (message == nullptr) message = json_text(document, "message");
  std::string text = "it answered " + foreign_text(*code, kForeignTextBytesMax);
  if (message != nullptr) text += ": " + foreign_text(*message, kForeignTextBytesMax);
  return answer_error(std::move(text));
}

bool is_sendable(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](Byte b) { return b > ' ' && b <= '~'; });
}

}  // namespace

bool same_credentials(const AwsCredentials& a, const AwsCredentials& b) {
  return a.access_key_id == b.access_key_id &&
         equal_constant_time(a.secret_access_key.view(), b.secret_access_key.view()) &&
         equal_constant_time(a.session_token.view(), b.session_token.view());
}

Result<void> check_credentials(const AwsCredentials& credentials) {
  const auto error = [](const char* part, const char* problem) {
    return Error(ErrorCode::kUsage, std::string(part) + problem);
  };
  constexpr const char* kIsEmpty = " is empty";
  constexpr const char* kCannotBe = " holds a space, a line feed or another character that cannot be in it";
  if (credentials.access_key_id.empty()) return error("the access key id", kIsEmpty);
  if (credentials.secret_access_key.empty()) return error("the secret access key", kIsEmpty);
  if (!is_sendable(as_bytes(credentials.access_key_id))) return error("the access key id", kCannotBe);
  if (!is_sendable(credentials.secret_access_key.view())) return error("the secret access key", kCannotBe);
  if (!is_sendable(credentials.session_token.view())) return error("the session token", kCannotBe);
  return {};
}

Result<AwsCredentials> parse_credentials_json(ByteView json, CredentialsDocument kind) {
  std::optional<Json> parsed = read_json_object(json);
  if (!parsed) return answer_error("the answer is no JSON object");
  Json& document = *parsed;
  const bool process = kind == CredentialsDocument::kProcess;
  AwsCredentials out;
  // Take the secrets first, so that they are wiped on every path.
  out.secret_access_key = take_json_secret(document, "SecretAccessKey");
  out.session_token = take_json_secret(document, process ? "SessionToken" : "Token");

  if (process) {
    const auto version = document.find("Version");
    if (version == document.end() || !version->is_number_integer() || *version != 1)
      return answer_error("the answer is not of Version 1");
  } else if (std::optional<Error> error = reported_error(document)) {
    return *std::move(error);
  }
  const std::string* const id = json_text(document, "AccessKeyId");
  if (id == nullptr) return missing("AccessKeyId");
  out.access_key_id = *id;
  if (out.secret_access_key.empty()) return missing("SecretAccessKey");
  if (!process && out.session_token.empty()) return missing("Token");
  if (const std::string* const expiration = json_text(document, "Expiration")) {
    out.expires_ns = parse_iso_time(*expiration);
    if (!out.expires_ns) return answer_error("the answer's Expiration is no point in time");
  } else if (!process) {
    return missing("Expiration");
  }
  if (Result<void> good = check_credentials(out); !good.ok()) return answer_error(good.error().message);
  return out;
}

}  // namespace drs
