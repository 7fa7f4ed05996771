// Opens the bucket behind an s3:// URL, as whom and where AWS's own tools would.
#pragma once

#include <memory>
#include <string>

#include "sinks/object_store.h"
#include "tools/global_options.h"

namespace drs {

// Errors: kUsage (URL, settings, no credentials set up), kDenied, kUnavailable (the place of the credentials).
Result<std::unique_ptr<ObjectStore>> open_s3(const std::string& url, const GlobalOptions& options);

}  // namespace drs
