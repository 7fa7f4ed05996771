// GoogleCredentials: a credentials file of Google, of every kind that Application Default Credentials knows.
// https://cloud.google.com/docs/authentication/application-default-credentials
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/transport/http_message.h"

namespace drs {

// "service_account": a private key of a service account.
struct ServiceAccountKey {
  std::string client_email;
  std::string private_key_id;
  SecretBytes private_key;  // PEM
  std::string token_url;
};

// "authorized_user": written by `gcloud auth application-default login`.
struct AuthorizedUser {
  std::string client_id;
  SecretBytes client_secret;
  SecretBytes refresh_token;
  std::string token_url;
};

// "external_account": workload identity federation. A token of another identity provider, from a file or a URL, is
// exchanged for a token of Google.
struct ExternalAccount {
  std::string audience;
  std::string subject_token_type;
  std::string token_url;
  std::string subject_file;  // one of these two
  std::string subject_url;
  std::vector<HttpHeader> subject_headers;  // for that URL
  std::string subject_field;                // of the JSON answer; empty: the whole answer is the token
};

// The token is exchanged once more, for a token of a service account.
struct Impersonation {
  std::string url;
  std::vector<std::string> delegates;
  std::chrono::seconds lifetime{3600};
};

struct GoogleCredentials {
  std::variant<ServiceAccountKey, AuthorizedUser, ExternalAccount> identity;
  std::optional<Impersonation> impersonation;
};

// Secrets are sent over https only, or within this machine: a file that names another place for them is refused.
// Errors: kUsage, naming what is missing or wrong; no text holds a value. Kinds that need a program or a signature of
// AWS (credential_source with `executable` or `environment_id`) are kUsage, too.
Result<GoogleCredentials> parse_google_credentials(ByteView json);

}  // namespace drs
