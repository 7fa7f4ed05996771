// Opens the bucket behind an s3:// URL, as whom and where AWS's own tools would.
#pragma once

#include <memory>

#include "sinks/cloud_probe.h"
#include "sinks/object_store.h"
#include "sinks/s3/s3_protocol.h"
#include "tools/repository_place.h"
#include "tools/store_surroundings.h"

namespace drs {

// Errors: kUsage (URL, settings, no credentials set up), kDenied, kUnavailable (the place of the credentials).
Result<std::unique_ptr<ObjectStore>> open_s3(const RepositoryPlace& place, const StoreSurroundings& opened_by);

// Where requests for the bucket go: "https://host/bucket". Errors: the same.
Result<std::string> s3_server(const RepositoryPlace& place, const StoreSurroundings& opened_by);

// The bucket's region as the options, the environment or the profile say, else AWS's default. Errors: kUsage.
Result<std::string> s3_region(const CloudOptions& options, CancelToken& cancel);

struct S3Probe {
  std::unique_ptr<CloudProbe> probe;
  const S3Protocol* protocol = nullptr;  // the probe's
};
// For looking at the bucket. Errors: the same.
Result<S3Probe> open_s3_probe(const RepositoryPlace& place, const StoreSurroundings& opened_by);

}  // namespace drs
