// Opens the bucket behind an s3:// or a gs:// URL, with the credentials and the endpoint that the tools of AWS and of
// Google would use.
#pragma once

#include <memory>

#include "sinks/cloud/cloud_probe.h"
#include "sinks/cloud/s3/s3_protocol.h"
#include "sinks/object_store.h"
#include "tools/repository/cloud_options.h"
#include "tools/repository/repository_location.h"

namespace drs {

// Errors: kUsage (URL, settings, no credentials set up), kDenied, kUnavailable (the place of the credentials).
Result<std::unique_ptr<ObjectStore>> open_s3(const RepositoryLocation& place, const StoreEnvironment& opened_by);

// The URL that requests for the bucket go to: "https://host/bucket". Errors: the same.
Result<std::string> s3_server(const RepositoryLocation& place, const StoreEnvironment& opened_by);

// The bucket's region, from the options, the environment or the profile, else AWS's default. Errors: kUsage.
Result<std::string> s3_region(const CloudOptions& options, CancelToken& cancel);

struct S3Probe {
  std::unique_ptr<CloudProbe> probe;
  const S3Protocol* protocol = nullptr;  // the probe's
};
// For looking at the bucket. Errors: the same.
Result<S3Probe> open_s3_probe(const RepositoryLocation& place, const StoreEnvironment& opened_by);

// At --endpoint-url, else at the emulator that STORAGE_EMULATOR_HOST names, without credentials, else at Google.
// Errors: kUsage (URL, settings, credentials that would be sent in the clear).
Result<std::unique_ptr<ObjectStore>> open_gcs(const RepositoryLocation& place, const StoreEnvironment& opened_by);
// Where requests go: "https://storage.googleapis.com". Errors: the same.
Result<std::string> gcs_server(const RepositoryLocation& place, const StoreEnvironment& opened_by);
// The same bucket, to be asked one thing at a time, without retries.
Result<std::unique_ptr<CloudProbe>> open_gcs_probe(const RepositoryLocation& place, const StoreEnvironment& opened_by);

}  // namespace drs
