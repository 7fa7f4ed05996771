// Exchanges credentials of Google for a token that authorises requests.
#pragma once

#include "io/base/result.h"
#include "sinks/cloud/gcs/google_credentials.h"
#include "sinks/cloud/gcs/google_token.h"
#include "sinks/transport/environment.h"

namespace drs {

// The JSON Web Token with which a service account asks for an access token: valid from `now_ns` for an hour, signed
// with RS256. Errors: kUsage (the key).
// https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
Result<SecretBytes> make_service_account_jwt(const ServiceAccountKey& key, std::string_view scope, std::int64_t now_ns);

// Asks the services that the credentials name, blocking. The caller sets `origin`. Errors: kUsage (the key, the file of
// the subject token), kDenied (a service refuses), kUnavailable. No text holds a secret.
Result<GoogleToken> exchange_for_token(const Environment& environment, const GoogleCredentials& credentials);

}  // namespace drs
