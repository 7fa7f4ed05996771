// Opens the bucket behind an s3:// URL, as whom and where AWS's own tools would.
#pragma once

#include <memory>

#include "sinks/object_store.h"
#include "tools/repository_place.h"
#include "tools/store_surroundings.h"

namespace drs {

// Errors: kUsage (URL, settings, no credentials set up), kDenied, kUnavailable (the place of the credentials).
Result<std::unique_ptr<ObjectStore>> open_s3(const RepositoryPlace& place, const StoreSurroundings& opened_by);

}  // namespace drs
