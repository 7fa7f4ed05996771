// DefaultCredentials: searches for credentials as all Google tools do (Application Default Credentials), so that
// drstream has the same identity as they.
// https://cloud.google.com/docs/authentication/application-default-credentials
//
//   1. the file that GOOGLE_APPLICATION_CREDENTIALS names
//   2. what `gcloud auth application-default login` left: application_default_credentials.json in CLOUDSDK_CONFIG,
//      else in ~/.config/gcloud
//   3. the metadata server
//
// The first place that is set up decides. If it fails, the search fails, since a later place could have another
// identity. Once a place has returned a token, only it is asked again. Files are read anew each time: they may have
// been replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/base/result.h"
#include "sinks/cloud/gcs/google_token.h"
#include "sinks/transport/environment.h"

namespace drs {

// One instance, one thread.
class DefaultCredentials {
 public:
  // `explicit_file` precedes all other places, unless it is empty.
  DefaultCredentials(Environment environment, std::string explicit_file)
      : environment_(std::move(environment)), explicit_file_(std::move(explicit_file)) {}

  // Errors: kUsage (no place is set up, or one is set up wrongly), kDenied (a service refuses), kUnavailable (it does
  // not answer). The text names the place, or all places and why each returned nothing.
  Result<GoogleToken> fetch();

 private:
  enum class Place : std::uint8_t { kGcloudFile, kMetadata };

  Environment environment_;
  std::string explicit_file_;
  std::optional<Place> settled_;  // none if a file is named explicitly
};

}  // namespace drs
