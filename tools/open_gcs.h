// Opens the bucket behind a gs:// URL, as whom and where Google's own tools would.
#pragma once

#include <memory>

#include "sinks/cloud_probe.h"
#include "sinks/object_store.h"
#include "tools/repository_place.h"
#include "tools/store_surroundings.h"

namespace drs {

// At --endpoint-url, else at the emulator that STORAGE_EMULATOR_HOST names, without credentials, else at Google.
// Errors: kUsage (URL, settings, credentials that would be sent in the clear).
Result<std::unique_ptr<ObjectStore>> open_gcs(const RepositoryPlace& place, const StoreSurroundings& opened_by);
// Where requests go: "https://storage.googleapis.com". Errors: the same.
Result<std::string> gcs_server(const RepositoryPlace& place, const StoreSurroundings& opened_by);
// The same bucket, to be asked one thing at a time, without retries.
Result<std::unique_ptr<CloudProbe>> open_gcs_probe(const RepositoryPlace& place, const StoreSurroundings& opened_by);

}  // namespace drs
