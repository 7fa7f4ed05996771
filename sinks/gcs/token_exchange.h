// From credentials of Google to a token that requests are made with.
#pragma once

#include "io/result.h"
#include "sinks/gcs/google_credentials.h"
#include "sinks/gcs/google_token.h"
#include "sinks/surroundings.h"

namespace drs {

// The JSON Web Token with which a service account asks for an access token: valid from `now_ns` for an hour, signed by
// RS256. Errors: kUsage (the key).
// https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
Result<SecretBytes> make_service_account_jwt(const ServiceAccountKey& key, std::string_view scope, std::int64_t now_ns);

// Asks the services that the credentials name, blocking. `origin` is left to the caller. Errors: kUsage (the key, the
// file of the subject token), kDenied (a service refuses), kUnavailable. No text holds a secret.
Result<GoogleToken> exchange_for_token(const Surroundings& surroundings, const GoogleCredentials& credentials);

}  // namespace drs
