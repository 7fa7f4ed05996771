// An ObjectStore in a bucket of Google Cloud Storage, or of an emulator of it.
#pragma once

#include <memory>

#include "io/base/clock.h"
#include "sinks/cloud/cloud_store.h"
#include "sinks/cloud/gcs/gcs_address.h"
#include "sinks/cloud/gcs/google_token.h"

namespace drs {

// `tokens`: null for an emulator. `clock` must outlive the store. Errors of its operations beside those of the
// contract: kUsage (the endpoint is none, the project lacks what is needed), kNoRepository (no such bucket).
Result<std::unique_ptr<ObjectStore>> open_gcs_store(GcsAddress address, std::shared_ptr<GoogleTokenProvider> tokens,
                                                    const Clock& clock, CloudStoreOptions options);

}  // namespace drs
