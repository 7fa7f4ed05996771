// GoogleCredentials: what a credentials file of Google says, of each kind that Application Default Credentials knows.
// https://cloud.google.com/docs/authentication/application-default-credentials
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"
#include "sinks/http_message.h"

namespace drs {

// "service_account": a key that signs for itself.
struct ServiceAccountKey {
  std::string client_email;
  std::string private_key_id;
  SecretBytes private_key;  // PEM
  std::string token_url;
};

// "authorized_user": what `gcloud auth application-default login` leaves.
struct AuthorizedUser {
  std::string client_id;
  SecretBytes client_secret;
  SecretBytes refresh_token;
  std::string token_url;
};

// "external_account": workload identity federation. A token of another identity provider, from a file or a URL, is
// exchanged for one of Google.
struct ExternalAccount {
  std::string audience;
  std::string subject_token_type;
  std::string token_url;
  std::string subject_file;  // one of these two
  std::string subject_url;
  std::vector<HttpHeader> subject_headers;  // for that URL
  std::string subject_field;                // of the JSON that comes; empty: the token is all that comes
};

// The token is exchanged once more, for one of a service account.
struct Impersonation {
  std::string url;
  std::vector<std::string> delegates;
  std::chrono::seconds lifetime{3600};
};

struct GoogleCredentials {
  std::variant<ServiceAccountKey, AuthorizedUser, ExternalAccount> identity;
  std::optional<Impersonation> impersonation;
};

// Secrets are only sent over https, or within this machine: a file that names another place for them is refused.
// Errors: kUsage, naming what is missing or wrong; no text holds a value. Kinds that need a program or AWS's signature
// (credential_source with `executable` or `environment_id`) are kUsage too.
Result<GoogleCredentials> parse_google_credentials(ByteView json);

}  // namespace drs
