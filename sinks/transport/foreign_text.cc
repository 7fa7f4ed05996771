#include "sinks/transport/foreign_text.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "io/base/ascii.h"

namespace drs {
namespace {

constexpr std::size_t kPieceBytes = 8;
constexpr std::array<std::string_view, 5> kSecretFields = {"WebIdentityToken", "assertion", "client_secret",
                                                           "refresh_token", "subject_token"};

// "X" of "AWS4-HMAC-SHA256 Credential=..., Signature=X", "Bearer X" and "X". The rest of the header is not secret.
std::string_view secret_of_authorization(std::string_view value) {
  constexpr std::string_view kSignature = "Signature=";
  if (const std::size_t at = value.find(kSignature); at != std::string_view::npos)
    return value.substr(at + kSignature.size());
  return value.substr(value.find(' ') + 1);  // from the beginning if there is no space
}

void take_form_secrets(std::string_view form, std::vector<std::string_view>& out) {
  while (!form.empty()) {
    const std::string_view field = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(form.size(), field.size() + 1));
    const std::size_t equals = std::min(field.find('='), field.size());
    if (std::find(kSecretFields.begin(), kSecretFields.end(), field.substr(0, equals)) != kSecretFields.end())
      out.push_back(field.substr(std::min(field.size(), equals + 1)));
  }
}

}  // namespace

std::vector<std::string_view> secrets_sent(const std::vector<HttpHeader>& headers, const std::vector<ByteView>& body) {
  std::vector<std::string_view> out;
  for (const HttpHeader& header : headers) {
    if (equal_ignoring_case(header.name, "authorization")) out.push_back(secret_of_authorization(header.value));
    if (equal_ignoring_case(header.name, "x-amz-security-token") ||
        equal_ignoring_case(header.name, "x-aws-ec2-metadata-token"))
      out.push_back(header.value);
    if (equal_ignoring_case(header.name, "content-type") && header.value == "application/x-www-form-urlencoded")
      for (const ByteView piece : body) take_form_secrets(as_text(piece), out);
  }
  return out;
}

std::string without_secrets(std::string_view text, const std::vector<std::string_view>& secrets) {
  std::unordered_set<std::string_view> pieces;
  for (const std::string_view secret : secrets)
    for (std::size_t at = 0; at + kPieceBytes <= secret.size(); ++at) pieces.insert(secret.substr(at, kPieceBytes));
  std::string out;
  std::size_t removed_to = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at + kPieceBytes <= text.size() && pieces.contains(text.substr(at, kPieceBytes))) {
      if (at >= removed_to) out += "[removed]";
      removed_to = at + kPieceBytes;
    }
    if (at >= removed_to) out += text[at];
  }
  return out;
}

std::string foreign_text(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view kCut = "...";
  std::string out;
  for (const char c : text) {
    if (out.size() > bytes_max) break;
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c > ' ' && c <= '~' ? c : '?';
    }
  }
  if (out.size() > bytes_max) {
    out.resize(bytes_max > kCut.size() ? bytes_max - kCut.size() : 0);
    out += kCut;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace drs
