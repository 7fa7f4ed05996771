// DefaultCredentials: Google's own search for credentials (Application Default Credentials), so that drstream writes as
// whom every other tool on the machine would.
// https://cloud.google.com/docs/authentication/application-default-credentials
//
//   1. the file that GOOGLE_APPLICATION_CREDENTIALS names
//   2. what `gcloud auth application-default login` left: application_default_credentials.json in CLOUDSDK_CONFIG, else
//   in
//      ~/.config/gcloud
//   3. the metadata server
//
// The first place that is set up decides. If it fails, the search fails: going on could find another identity. Once a
// place has given a token, only it is asked again. Files are read anew each time: they may have been replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/result.h"
#include "sinks/gcs/google_token.h"
#include "sinks/surroundings.h"

namespace drs {

// One instance, one thread.
class DefaultCredentials {
 public:
  // `explicit_file` stands before everything else, unless it is empty.
  DefaultCredentials(Surroundings surroundings, std::string explicit_file)
      : surroundings_(std::move(surroundings)), explicit_file_(std::move(explicit_file)) {}

  // Errors: kUsage (nothing is set up, or wrongly), kDenied (a service refuses), kUnavailable (it does not answer). The
  // text names the place, or all places and why each gave nothing.
  Result<GoogleToken> fetch();

 private:
  enum class Place : std::uint8_t { kGcloudFile, kMetadata };

  Surroundings surroundings_;
  std::string explicit_file_;
  std::optional<Place> settled_;  // none too where a file is named
};

}  // namespace drs
