#include "sinks/cloud/gcs/google_credentials.h"

#include <algorithm>
#include <utility>

#include "sinks/transport/endpoint.h"
#include "sinks/transport/foreign_text.h"
#include "sinks/transport/json_answer.h"

namespace drs {
namespace {

using Json = nlohmann::json;

constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr std::size_t kForeignTextBytesMax = 100;
constexpr std::int64_t kLifetimeSecondsMin = 600;
constexpr std::int64_t kLifetimeSecondsMax = 43'200;

Error usage(const std::string& problem) {
  return {ErrorCode::kUsage, "the credentials file " + problem};
}

Result<std::string> required(const Json& object, const char* name) {
  const std::string* const text = json_text(object, name);
  if (text == nullptr) return usage(std::string("has no ") + name);
  return *text;
}

Result<SecretBytes> required_secret(Json& object, const char* name) {
  SecretBytes out = take_json_secret(object, name);
  if (out.empty()) return usage(std::string("has no ") + name);
  return out;
}

// Checks that secrets may be sent to this URL.
Result<void> check_url(const std::string& url, const char* name) {
  const std::optional<Endpoint> endpoint = endpoint_of_url(url);
  if (!endpoint) return usage(std::string("has a ") + name + " that is no URL");
  if (!endpoint->https && !is_loopback(*endpoint))
    return usage(std::string("would send secrets over http: its ") + name + " must be https");
  return {};
}

Result<GoogleCredentials> service_account(Json& document) {
  ServiceAccountKey out;
  DRS_ASSIGN_OR_RETURN(out.private_key, required_secret(document, "private_key"));
  DRS_ASSIGN_OR_RETURN(out.client_email, required(document, "client_email"));
  out.private_key_id = json_text_or(document, "private_key_id");
  out.token_url = json_text_or(document, "token_uri", kTokenUrl);
  DRS_RETURN_IF_ERROR(check_url(out.token_url, "token_uri"));
  return GoogleCredentials{std::move(out), {}};
}

Result<GoogleCredentials> authorized_user(Json& document) {
  AuthorizedUser out;
  DRS_ASSIGN_OR_RETURN(out.client_secret, required_secret(document, "client_secret"));
  DRS_ASSIGN_OR_RETURN(out.refresh_token, required_secret(document, "refresh_token"));
  DRS_ASSIGN_OR_RETURN(out.client_id, required(document, "client_id"));
  out.token_url = json_text_or(document, "token_uri", kTokenUrl);
  DRS_RETURN_IF_ERROR(check_url(out.token_url, "token_uri"));
  return GoogleCredentials{std::move(out), {}};
}

Result<void> take_subject(const Json& document, ExternalAccount& out) {
  const Json* const source = json_part(document, "credential_source");
  if (source == nullptr) return usage("has no credential_source");
  if (source->contains("environment_id") || source->contains("executable"))
    return usage(
        "takes the subject token from AWS or from a program, which is not supported: use a credential_source with a "
        "file or a url, or a service account key");
  out.subject_file = json_text_or(*source, "file");
  out.subject_url = json_text_or(*source, "url");
  if (out.subject_file.empty() == out.subject_url.empty())
    return usage("has a credential_source without a file or a url, or with both");
  if (!out.subject_url.empty() && !endpoint_of_url(out.subject_url))
    return usage("has a credential_source whose url is none");
  if (const Json* const headers = json_part(*source, "headers")) {
    for (const auto& [name, value] : headers->items()) {
      const bool sendable = value.is_string() && !name.empty() &&
                            (name + value.get<std::string>()).find_first_of("\r\n") == std::string::npos;
      if (!sendable) return usage("has a credential_source with a header that cannot be sent");
      out.subject_headers.push_back({name, value.get<std::string>()});
    }
  }
  if (const Json* const format = json_part(*source, "format")) {
    const std::string type = json_text_or(*format, "type", "text");
    if (type == "json") {
      DRS_ASSIGN_OR_RETURN(out.subject_field, required(*format, "subject_token_field_name"));
    } else if (type != "text") {
      return usage("has a credential_source whose format is neither text nor json");
    }
  }
  return {};
}

Result<std::optional<Impersonation>> impersonation(const Json& document) {
  Impersonation out;
  out.url = json_text_or(document, "service_account_impersonation_url");
  if (out.url.empty()) return std::optional<Impersonation>();
  DRS_RETURN_IF_ERROR(check_url(out.url, "service_account_impersonation_url"));
  if (const Json* const delegates = json_part(document, "delegates"))
    for (const Json& delegate : *delegates)
      if (delegate.is_string()) out.delegates.push_back(delegate.get<std::string>());
  if (const Json* const settings = json_part(document, "service_account_impersonation")) {
    const auto lifetime = settings->find("token_lifetime_seconds");
    if (settings->is_object() && lifetime != settings->end()) {
      const std::int64_t seconds = lifetime->is_number_integer() ? lifetime->get<std::int64_t>() : 0;
      if (seconds < kLifetimeSecondsMin || seconds > kLifetimeSecondsMax)
        return usage("has a token_lifetime_seconds that is not between 600 and 43200");
      out.lifetime = std::chrono::seconds(seconds);
    }
  }
  return std::optional(std::move(out));
}

Result<GoogleCredentials> external_account(const Json& document) {
  ExternalAccount out;
  DRS_ASSIGN_OR_RETURN(out.audience, required(document, "audience"));
  DRS_ASSIGN_OR_RETURN(out.subject_token_type, required(document, "subject_token_type"));
  DRS_ASSIGN_OR_RETURN(out.token_url, required(document, "token_url"));
  DRS_RETURN_IF_ERROR(check_url(out.token_url, "token_url"));
  DRS_RETURN_IF_ERROR(take_subject(document, out));
  GoogleCredentials credentials{std::move(out), {}};
  DRS_ASSIGN_OR_RETURN(credentials.impersonation, impersonation(document));
  return credentials;
}

// Of the kinds that need nothing before them.
Result<GoogleCredentials> first_identity(Json& document) {
  DRS_ASSIGN_OR_RETURN(const std::string type, required(document, "type"));
  if (type == "service_account") return service_account(document);
  if (type == "authorized_user") return authorized_user(document);
  if (type == "external_account") return external_account(document);
  return usage("is of the type '" + foreign_text(type, kForeignTextBytesMax) +
               "': service_account, authorized_user, external_account and impersonated_service_account are supported");
}

}  // namespace

Result<GoogleCredentials> parse_google_credentials(ByteView json) {
  std::optional<Json> document = read_json_object(json);
  if (!document) return usage("is no JSON object");
  if (json_text_or(*document, "type") != "impersonated_service_account") return first_identity(*document);
  DRS_ASSIGN_OR_RETURN(std::optional<Impersonation> further, impersonation(*document));
  if (!further) return usage("has no service_account_impersonation_url");
  const auto source = document->find("source_credentials");
  if (source == document->end() || !source->is_object()) return usage("has no source_credentials");
  DRS_ASSIGN_OR_RETURN(GoogleCredentials out, first_identity(*source));
  if (out.impersonation) return usage("impersonates twice: name the service account of the end in one step");
  out.impersonation = std::move(further);
  return out;
}

}  // namespace drs
