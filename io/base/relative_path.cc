#include "io/base/relative_path.h"

namespace drs {

Result<void> check_relative_path(std::string_view path, RootPath root) {
  if (path.empty() && root == RootPath::kAllowed) return {};
  std::string_view rest = path;
  for (;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) {
      return Error(ErrorCode::kUsage, "'" + std::string(path) + "' is not a plain relative path");
    }
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

SplitPath split_relative_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {.directory = {}, .leaf = path};
  return {.directory = path.substr(0, slash), .leaf = path.substr(slash + 1)};
}

}  // namespace drs
