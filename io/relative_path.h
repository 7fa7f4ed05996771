// The paths a FileSystem takes: relative to its root, parts joined by '/', nothing that could name a file outside.
#pragma once

#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

// Errors: kUsage for an absolute path, an empty, "." or ".." part, or a zero byte. "", the root itself, needs
// `root_allowed`.
Result<void> check_relative_path(std::string_view path, bool root_allowed);

struct SplitPath {
  std::string directory;  // "" for the root
  std::string leaf;
};
// Cuts a checked path before its last part.
SplitPath split_relative_path(const std::string& path);

}  // namespace drs
