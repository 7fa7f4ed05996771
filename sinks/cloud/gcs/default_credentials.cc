#include "sinks/cloud/gcs/default_credentials.h"

#include <utility>

#include "sinks/cloud/gcs/google_credentials.h"
#include "sinks/cloud/gcs/google_metadata.h"
#include "sinks/cloud/gcs/token_exchange.h"

namespace drs {
namespace {

constexpr const char* kFileVariable = "GOOGLE_APPLICATION_CREDENTIALS";

std::string gcloud_file(const Environment& environment) {
  constexpr const char* kName = "/application_default_credentials.json";
  if (const auto folder = environment.variable("CLOUDSDK_CONFIG")) return std::string(*folder) + kName;
  if (const auto home = environment.variable("HOME")) return std::string(*home) + "/.config/gcloud" + kName;
  return "";
}

Result<GoogleToken> from_file(const Environment& environment, const SecretBytes& document, const std::string& path) {
  const auto token = [&]() -> Result<GoogleToken> {
    DRS_ASSIGN_OR_RETURN(const GoogleCredentials credentials, parse_google_credentials(document.view()));
    return exchange_for_token(environment, credentials);
  };
  Result<GoogleToken> out = token();
  if (!out.ok()) return std::move(out).error().with_context("credentials from '" + path + "'");
  out->origin = "'" + path + "'";
  return out;
}

}  // namespace

Result<GoogleToken> DefaultCredentials::fetch() {
  std::string named = explicit_file_;
  if (named.empty()) named = environment_.variable(kFileVariable).value_or("");
  if (!named.empty()) {
    const Result<SecretBytes> document = environment_.read_file(named);
    if (!document.ok()) {
      const std::string who = explicit_file_.empty() ? std::string(kFileVariable) + " names a file that" : "the file";
      return unreadable_file(who, document.error());
    }
    return from_file(environment_, *document, named);
  }
  const std::string left = gcloud_file(environment_);
  std::string looked_at = std::string(kFileVariable) + " is not set; ";
  if (settled_ != Place::kMetadata && !left.empty()) {
    const Result<SecretBytes> document = environment_.read_file(left);
    if (document.ok()) {
      Result<GoogleToken> token = from_file(environment_, *document, left);
      if (token.ok()) settled_ = Place::kGcloudFile;
      return token;
    }
    if (document.error().code != ErrorCode::kNotFound || settled_)
      return unreadable_file("the credentials file", document.error());
  }
  looked_at += left.empty() ? "neither CLOUDSDK_CONFIG nor HOME is set" : "there is no '" + left + "'";
  Result<GoogleTokenLookup> lookup = google_metadata_token(environment_);
  if (!lookup.ok())
    return std::move(lookup).error().with_context("no credentials for Google Cloud Storage: " + looked_at +
                                                  "; the metadata server");
  if (!lookup->token)
    return Error(settled_ ? ErrorCode::kUnavailable : ErrorCode::kUsage,
                 "no credentials for Google Cloud Storage: " + looked_at + "; the metadata server " +
                     lookup->nothing_because +
                     ". Name a credentials file in GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth "
                     "application-default login`");
  settled_ = Place::kMetadata;
  lookup->token->origin = "the metadata server";
  return *std::move(lookup->token);
}

}  // namespace drs
