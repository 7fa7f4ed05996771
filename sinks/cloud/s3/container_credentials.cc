#include "sinks/cloud/s3/container_credentials.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "sinks/transport/endpoint.h"
#include "sinks/transport/retried_fetch.h"

namespace drs {
namespace {

constexpr const char* kRelativeVariable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* kFullVariable = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* kTokenVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr const char* kTokenFileVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

constexpr std::string_view kEcsAddress = "http://169.254.170.2";
constexpr std::chrono::milliseconds kTimeout{2000};  // as in the SDKs

Error usage(std::string text) {
  return Error(ErrorCode::kUsage, std::move(text));
}

// Whether plain http is allowed to the host.
bool may_speak_plainly(const Endpoint& endpoint) {
  if (is_loopback(endpoint) || endpoint.host == "169.254.170.2" || endpoint.host == "169.254.170.23") return true;
  if (!endpoint.host.starts_with('[')) return false;
  std::array<Byte, 16> address{};
  std::array<Byte, 16> eks{};
  return inet_pton(AF_INET6, endpoint.host.substr(1, endpoint.host.size() - 2).c_str(), address.data()) == 1 &&
         inet_pton(AF_INET6, "fd00:ec2::23", eks.data()) == 1 && address == eks;
}

bool is_url_character(char c) {
  return c > ' ' && c <= '~' && c != '\\';
}

Result<void> check_full_uri(std::string_view uri) {
  const std::optional<Endpoint> endpoint = endpoint_of_url(uri);
  if (!endpoint) return usage(std::string(kFullVariable) + " is no URL of http or https");
  if (endpoint->https || may_speak_plainly(*endpoint)) return {};
  return usage(
      std::string(kFullVariable) + " points to '" + endpoint->host +
      "' over http, which is only allowed for localhost, 127.0.0.0/8, [::1], 169.254.170.2, 169.254.170.23 and "
      "[fd00:ec2::23]: use https");
}

Result<std::optional<std::string>> url_to_ask(const Environment& environment) {
  if (const auto relative = environment.variable(kRelativeVariable)) {
    if (!relative->starts_with('/') || !std::all_of(relative->begin(), relative->end(), is_url_character))
      return usage(std::string(kRelativeVariable) + " is no path that begins with '/'");
    return std::optional(std::string(kEcsAddress) + std::string(*relative));
  }
  if (const auto full = environment.variable(kFullVariable)) {
    DRS_RETURN_IF_ERROR(check_full_uri(*full));
    return std::optional(std::string(*full));
  }
  return std::optional<std::string>();
}

Result<SecretBytes> token(const Environment& environment) {
  SecretBytes out;
  const char* origin = kTokenVariable;
  if (const auto path = environment.variable(kTokenFileVariable)) {
    origin = kTokenFileVariable;
    Result<SecretBytes> file = environment.read_file(std::string(*path));
    if (!file.ok()) return unreadable_file(kTokenFileVariable, file.error());
    std::string_view text = as_text(file->view());
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    out = SecretBytes::copy_of(as_bytes(text));
  } else if (const auto value = environment.variable(kTokenVariable)) {
    out = SecretBytes::copy_of(as_bytes(*value));
  }
  const ByteView bytes = out.view();
  if (!std::all_of(bytes.begin(), bytes.end(), [](Byte b) { return b >= ' ' && b <= '~'; }))
    return usage(std::string(origin) + " holds what cannot stand in a header");
  return out;
}

}  // namespace

Result<CredentialsLookup> container_credentials(const Environment& environment) {
  DRS_ASSIGN_OR_RETURN(const std::optional<std::string> url, url_to_ask(environment));
  if (!url)
    return CredentialsLookup{std::nullopt, std::string(kRelativeVariable) + " and " + kFullVariable + " are not set"};
  DRS_ASSIGN_OR_RETURN(const SecretBytes authorization, token(environment));

  HttpRequest request;
  request.url = *url;
  request.timeout = kTimeout;
  request.bypass_proxy = true;
  request.headers.push_back({"Accept", "application/json"});
  if (!authorization.empty()) request.headers.push_back({"Authorization", std::string(as_text(authorization.view()))});
  Result<HttpResponse> response = fetch_with_retries(environment.fetch, request);
  std::string& sent = request.headers.back().value;
  wipe({reinterpret_cast<Byte*>(sent.data()), sent.size()});
  if (!response.ok()) return std::move(response).error();

  Result<AwsCredentials> credentials = parse_credentials_json(response->body.view(), CredentialsDocument::kMetadata);
  if (response->status != 200) {
    const std::string said = credentials.ok() ? "" : ": " + credentials.error().message;
    return Error(is_passing_status(response->status) ? ErrorCode::kUnavailable : ErrorCode::kDenied,
                 "the endpoint answered with status " + std::to_string(response->status) + said);
  }
  if (!credentials.ok()) return std::move(credentials).error();
  return CredentialsLookup{*std::move(credentials), {}};
}

}  // namespace drs
