// Opens the bucket behind a gs:// URL, as whom and where Google's own tools would.
#pragma once

#include <memory>

#include "sinks/object_store.h"
#include "tools/repository_place.h"
#include "tools/store_surroundings.h"

namespace drs {

// At --endpoint-url, else at the emulator that STORAGE_EMULATOR_HOST names, without credentials, else at Google.
// Errors: kUsage (URL, settings, credentials that would be sent in the clear).
Result<std::unique_ptr<ObjectStore>> open_gcs(const RepositoryPlace& place, const StoreSurroundings& opened_by);

}  // namespace drs
