// The metadata server of a machine in Google's cloud (Compute Engine, GKE with its workload identity, Cloud Run): the
// token of the attached service account. https://cloud.google.com/compute/docs/metadata/overview
#pragma once

#include <optional>
#include <string>

#include "io/result.h"
#include "sinks/gcs/google_token.h"
#include "sinks/surroundings.h"

namespace drs {

struct GoogleTokenLookup {
  std::optional<GoogleToken> token;
  std::string nothing_because;  // where there is none
};

// Asked at GCE_METADATA_HOST ("host" or "host:port"), else at metadata.google.internal. Nothing where that variable is
// not set and nobody answers as the metadata server does: not in Google's cloud. Errors: kUsage (the variable), kDenied
// (no service account is attached), kUnavailable.
Result<GoogleTokenLookup> google_metadata_token(const Surroundings& surroundings);

}  // namespace drs
