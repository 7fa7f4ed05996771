// The metadata server of a machine in Google's cloud (Compute Engine, GKE with its workload identity, Cloud Run): the
// token of the attached service account. https://cloud.google.com/compute/docs/metadata/overview
#pragma once

#include <optional>
#include <string>

#include "io/base/result.h"
#include "sinks/cloud/gcs/google_token.h"
#include "sinks/transport/environment.h"

namespace drs {

struct GoogleTokenLookup {
  std::optional<GoogleToken> token;
  std::string nothing_because;  // if there is none
};

// Asks GCE_METADATA_HOST ("host" or "host:port"), else metadata.google.internal. Returns nothing if that variable is
// not set and no metadata server answers: not in Google's cloud. Errors: kUsage (the variable), kDenied (no service
// account is attached), kUnavailable.
Result<GoogleTokenLookup> google_metadata_token(const Environment& environment);

}  // namespace drs
