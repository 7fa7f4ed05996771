#include "sinks/cloud/gcs/token_exchange.h"

#include <utility>

#include "codecs/base64.h"
#include "codecs/rsa_signature.h"
#include "sinks/transport/endpoint.h"
#include "sinks/transport/json_answer.h"
#include "sinks/transport/retried_fetch.h"
#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kJwtSeconds = 3600;  // the longest that is taken
// What a token of the first step must be good for where a second follows.
constexpr std::string_view kCloudScope = "https://www.googleapis.com/auth/cloud-platform";

std::string host_of(const std::string& url) {
  const std::optional<Endpoint> endpoint = endpoint_of_url(url);
  return endpoint ? endpoint->host : url;
}

struct FormField {
  std::string_view name;
  ByteView value;
};

// Percent-encoded, with no copy of a value left behind.
SecretBytes form_of(const std::vector<FormField>& fields) {
  std::size_t bytes_max = 0;
  for (const FormField& field : fields) bytes_max += field.name.size() + 3 * field.value.size() + 2;
  std::string text;
  text.reserve(bytes_max);
  for (const FormField& field : fields) {
    if (!text.empty()) text += '&';
    text += field.name;
    text += '=';
    std::string encoded = uri_encode(as_text(field.value));
    text += encoded;
    wipe({reinterpret_cast<Byte*>(encoded.data()), encoded.size()});
  }
  SecretBytes out = SecretBytes::copy_of(as_bytes(text));
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  return out;
}

Result<GoogleToken> ask(const Environment& environment, const std::string& url, const std::string& who,
                        const std::vector<FormField>& fields) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.body = form_of(fields);
  const std::int64_t now_ns = environment.clock.wall_ns();
  const std::string name = who + " " + host_of(url);
  Result<HttpResponse> response = fetch_with_retries(environment.fetch, request);
  if (!response.ok()) return std::move(response).error().with_context(name);
  if (response->status != 200) return token_refusal(name, *response, now_ns);
  Result<GoogleToken> token = parse_token_answer(response->body.view(), now_ns);
  if (!token.ok()) return std::move(token).error().with_context(name);
  return token;
}

Result<GoogleToken> token_for(const Environment& environment, const ServiceAccountKey& key, std::string_view scope) {
  DRS_ASSIGN_OR_RETURN(const SecretBytes jwt, make_service_account_jwt(key, scope, environment.clock.wall_ns()));
  return ask(environment, key.token_url, "the token endpoint",
             {{"grant_type", as_bytes("urn:ietf:params:oauth:grant-type:jwt-bearer")}, {"assertion", jwt.view()}});
}

Result<GoogleToken> token_for(const Environment& environment, const AuthorizedUser& user, std::string_view /*scope*/) {
  return ask(environment, user.token_url, "the token endpoint",
             {{"grant_type", as_bytes("refresh_token")},
              {"client_id", as_bytes(user.client_id)},
              {"client_secret", user.client_secret.view()},
              {"refresh_token", user.refresh_token.view()}});
}

Result<SecretBytes> subject_document(const Environment& environment, const ExternalAccount& account) {
  if (!account.subject_file.empty()) {
    Result<SecretBytes> file = environment.read_file(account.subject_file);
    if (!file.ok()) return unreadable_file("the subject token", file.error());
    return file;
  }
  HttpRequest request;
  request.url = account.subject_url;
  request.headers = account.subject_headers;
  request.bypass_proxy = account.subject_url.starts_with("http://");  // the metadata service of another cloud
  const std::string name = "the subject token from " + host_of(account.subject_url);
  Result<HttpResponse> response = fetch_with_retries(environment.fetch, request);
  if (!response.ok()) return std::move(response).error().with_context(name);
  if (response->status != 200)
    return Error(is_passing_status(response->status) ? ErrorCode::kUnavailable : ErrorCode::kDenied,
                 name + ": the answer was status " + std::to_string(response->status));
  return std::move(response->body);
}

Result<SecretBytes> subject_token(const Environment& environment, const ExternalAccount& account) {
  DRS_ASSIGN_OR_RETURN(SecretBytes document, subject_document(environment, account));
  if (!account.subject_field.empty()) {
    std::optional<Json> json = read_json_object(document.view());
    document = json ? take_json_secret(*json, account.subject_field.c_str()) : SecretBytes();
    if (document.empty())
      return Error(ErrorCode::kUsage, "the subject token: no JSON with the field " + account.subject_field);
    return document;
  }
  std::string_view text = as_text(document.view());
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  if (text.empty()) return Error(ErrorCode::kUsage, "the subject token is empty");
  return SecretBytes::copy_of(as_bytes(text));
}

Result<GoogleToken> token_for(const Environment& environment, const ExternalAccount& account, std::string_view scope) {
  DRS_ASSIGN_OR_RETURN(const SecretBytes subject, subject_token(environment, account));
  return ask(environment, account.token_url, "the Security Token Service",
             {{"grant_type", as_bytes("urn:ietf:params:oauth:grant-type:token-exchange")},
              {"audience", as_bytes(account.audience)},
              {"scope", as_bytes(scope)},
              {"requested_token_type", as_bytes("urn:ietf:params:oauth:token-type:access_token")},
              {"subject_token_type", as_bytes(account.subject_token_type)},
              {"subject_token", subject.view()}});
}

// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
Result<GoogleToken> impersonate(const Environment& environment, const Impersonation& impersonation,
                                const GoogleToken& first) {
  const Json wanted = {{"delegates", impersonation.delegates},
                       {"scope", Json::array({kStorageScope})},
                       {"lifetime", std::to_string(impersonation.lifetime.count()) + "s"}};
  HttpRequest request;
  request.method = "POST";
  request.url = impersonation.url;
  request.headers = {{"Content-Type", "application/json"},
                     {"Authorization", "Bearer " + std::string(as_text(first.text.view()))}};
  request.body = SecretBytes::copy_of(as_bytes(wanted.dump()));
  const std::string name = "impersonation by " + host_of(impersonation.url);
  Result<HttpResponse> response = fetch_with_retries(environment.fetch, request);
  std::string& sent = request.headers.back().value;
  wipe({reinterpret_cast<Byte*>(sent.data()), sent.size()});
  if (!response.ok()) return std::move(response).error().with_context(name);
  if (response->status != 200) return token_refusal(name, *response, environment.clock.wall_ns());
  Result<GoogleToken> token = parse_generated_token(response->body.view());
  if (!token.ok()) return std::move(token).error().with_context(name);
  return token;
}

}  // namespace

Result<SecretBytes> make_service_account_jwt(const ServiceAccountKey& key, std::string_view scope,
                                             std::int64_t now_ns) {
  Json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!key.private_key_id.empty()) header["kid"] = key.private_key_id;
  const std::int64_t now = now_ns / kSecondNs;
  const Json claims = {
      {"iss", key.client_email}, {"scope", scope}, {"aud", key.token_url}, {"iat", now}, {"exp", now + kJwtSeconds}};
  std::string text = to_base64_url(as_bytes(header.dump())) + '.' + to_base64_url(as_bytes(claims.dump()));
  DRS_ASSIGN_OR_RETURN(const Bytes signature, sign_rsa_sha256(key.private_key.view(), as_bytes(text)));
  text += '.' + to_base64_url(signature);
  return SecretBytes::copy_of(as_bytes(text));
}

Result<GoogleToken> exchange_for_token(const Environment& environment, const GoogleCredentials& credentials) {
  const std::string_view scope = credentials.impersonation ? kCloudScope : kStorageScope;
  Result<GoogleToken> token =
      std::visit([&](const auto& identity) { return token_for(environment, identity, scope); }, credentials.identity);
  if (!token.ok() || !credentials.impersonation) return token;
  return impersonate(environment, *credentials.impersonation, *token);
}

}  // namespace drs
