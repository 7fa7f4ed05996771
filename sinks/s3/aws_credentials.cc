#include "sinks/s3/aws_credentials.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sinks/s3/aws_time.h"
#include "sinks/s3/foreign_text.h"

namespace drs {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kForeignTextBytesMax = 300;

// A non-empty string member, or null.
std::string* member(Json& document, const char* name) {
  const auto found = document.find(name);
  if (found == document.end() || !found->is_string()) return nullptr;
  auto& text = found->get_ref<std::string&>();
  return text.empty() ? nullptr : &text;
}

// Copies the member and wipes it in the document.
SecretBytes take_secret(Json& document, const char* name) {
  std::string* const text = member(document, name);
  if (text == nullptr) return {};
  SecretBytes out = SecretBytes::copy_of(as_bytes(*text));
  wipe({reinterpret_cast<Byte*>(text->data()), text->size()});
  return out;
}

Error answer_error(std::string text) {
  return Error{ErrorCode::kUnavailable, std::move(text)};
}

Error missing(const char* name) {
  return answer_error(std::string("the answer holds no ") + name);
}

// What the service itself says went wrong, if it says so.
std::optional<Error> reported_error(Json& document) {
  const std::string* code = member(document, "Code");
  if (code == nullptr) code = member(document, "code");
  if (code == nullptr || *code == "Success") return std::nullopt;
  const std::string* message = member(document, "Message");
  if (message == nullptr) message = member(document, "message");
  std::string text = "it answered " + foreign_text(*code, kForeignTextBytesMax);
  if (message != nullptr) text += ": " + foreign_text(*message, kForeignTextBytesMax);
  return answer_error(std::move(text));
}

bool is_sendable(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](Byte b) { return b > ' ' && b <= '~'; });
}

}  // namespace

Result<void> check_credentials(const AwsCredentials& credentials) {
  const auto error = [](const char* part, const char* problem) {
    return Error{ErrorCode::kUsage, std::string(part) + problem};
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
  Json document = Json::parse(json.begin(), json.end(), nullptr, false);
  if (!document.is_object()) return answer_error("the answer is no JSON object");
  const bool process = kind == CredentialsDocument::kProcess;
  AwsCredentials out;
  // First, so that they are wiped however this ends.
  out.secret_access_key = take_secret(document, "SecretAccessKey");
  out.session_token = take_secret(document, process ? "SessionToken" : "Token");

  if (process) {
    const auto version = document.find("Version");
    if (version == document.end() || !version->is_number_integer() || *version != 1)
      return answer_error("the answer is not of Version 1");
  } else if (std::optional<Error> error = reported_error(document)) {
    return *std::move(error);
  }
  const std::string* const id = member(document, "AccessKeyId");
  if (id == nullptr) return missing("AccessKeyId");
  out.access_key_id = *id;
  if (out.secret_access_key.empty()) return missing("SecretAccessKey");
  if (!process && out.session_token.empty()) return missing("Token");
  if (const std::string* const expiration = member(document, "Expiration")) {
    out.expires_ns = parse_aws_time(*expiration);
    if (!out.expires_ns) return answer_error("the answer's Expiration is no point in time");
  } else if (!process) {
    return missing("Expiration");
  }
  if (Result<void> good = check_credentials(out); !good.ok()) return answer_error(good.error().message);
  return out;
}

}  // namespace drs
