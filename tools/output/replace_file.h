// Replaces a small file as a whole: readers see the old content or the new one, also after a power cut.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "io/base/result.h"

namespace drs {

// Writes a file beside `path` and renames it; nothing of it is left if that fails. Its name is `path` with something
// behind it, so that whoever looks for *.prom does not find it. Errors: those of errno.
Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode);

}  // namespace drs
