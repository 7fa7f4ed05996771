#include "sinks/cloud/s3/web_identity.h"

#include <utility>

#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::string_view kAction = "AssumeRoleWithWebIdentity";

void wipe_text(std::string& text) {
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
}

// Without the white space around it, which is no part of a token.
ByteView trimmed(ByteView token) {
  const std::string_view text = as_text(token);
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return as_bytes(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

SecretBytes form_of(const WebIdentity& identity, ByteView token, std::int64_t now_ns) {
  std::string text = sts_form(kAction, identity.role, now_ns);
  constexpr std::string_view kToken = "&WebIdentityToken=";
  std::string encoded = uri_encode(as_text(token));
  text.reserve(text.size() + kToken.size() + encoded.size());  // so that no copy is left behind
  text += kToken;
  text += encoded;
  SecretBytes out = SecretBytes::copy_of(as_bytes(text));
  wipe_text(text);
  wipe_text(encoded);
  return out;
}

}  // namespace

Result<AwsCredentials> assume_role_with_web_identity(const Environment& environment, const WebIdentity& identity) {
  Result<SecretBytes> file = environment.read_file(identity.token_file);
  if (!file.ok()) return unreadable_file("the token", file.error());
  const ByteView token = trimmed(file->view());
  if (token.empty()) return Error(ErrorCode::kUsage, "the token in '" + identity.token_file + "' is empty");
  SecretBytes form = form_of(identity, token, environment.clock.wall_ns());
  return ask_sts(environment, identity.sts, {.action = kAction, .form = std::move(form)});
}

}  // namespace drs
