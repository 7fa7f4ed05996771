// The paths of a FileSystem: relative to its root, with parts joined by '/', and unable to name a file outside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/base/result.h"

namespace drs {

// Whether "", the root itself, is a path too.
enum class RootPath : std::uint8_t { kRefused, kAllowed };
// Errors: kUsage for an absolute path, an empty, "." or ".." part, or a zero byte.
Result<void> check_relative_path(std::string_view path, RootPath root);

struct SplitPath {
  std::string directory;  // "" for the root
  std::string leaf;
};
// Splits a checked path before its last part.
SplitPath split_relative_path(const std::string& path);

}  // namespace drs
