#include "tools/new_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "engine/format/names.h"
#include "engine/format/object_rules.h"
#include "tools/printable.h"

namespace drs {
namespace {

namespace fs = std::filesystem;

// What operating systems put at the root of a file system.
constexpr std::array<std::string_view, 5> kOfFileSystems = {"lost+found", "aquota.user", "aquota.group",
                                                            "System Volume Information", "$RECYCLE.BIN"};

// Snapshots of the file system (.snapshot, .zfs), waste baskets, and our own .incoming begin with a dot.
bool may_be_there(const std::string& name) {
  if (name.starts_with('.') || std::ranges::find(kOfFileSystems, name) != kOfFileSystems.end()) return true;
  return name == "doctor" || find_object_rule(name + "/") != nullptr;
}

bool has_config(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator entry(directory / "config", error), end; !error && entry != end; entry.increment(error))
    if (parse_name("config/" + entry->path().filename().string())) return true;
  return false;
}

}  // namespace

std::string enclosing_repository(const std::string& path) {
  std::error_code error;
  fs::path place = fs::weakly_canonical(path, error);
  while (!error && place.has_relative_path()) {
    if (has_config(place)) return place.string();
    place = place.parent_path();
  }
  return "";
}

Result<void> check_new_directory(const std::string& path) {
  std::error_code error;
  const fs::path place = fs::weakly_canonical(path, error);
  if (error == std::errc::too_many_symbolic_link_levels || error == std::errc::filename_too_long)
    return Error{ErrorCode::kUsage,
                 "'" + path + "' cannot be a directory: " + error.message() + "; choose another place", error.value()};
  if (error) return error_from_errno(error.value(), "look up '" + path + "'");
  for (fs::path above = place; above.has_relative_path();) {
    above = above.parent_path();
    if (has_config(above))
      return Error{ErrorCode::kUsage,
                   fmt::format("'{}' lies in the repository {}: a repository in another one would be "
                               "moved, copied and removed with it; choose another place",
                               path, above.string())};
  }
  if (has_config(place)) return {};
  fs::directory_iterator entry(place, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) return {};
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (may_be_there(name)) continue;
    return Error{
        ErrorCode::kUsage,
        fmt::format("the directory '{}' is not empty: it holds '{}', which is not drstream's; a new repository "
                    "needs a directory of its own, such as {}/drstream",
                    path, printable_value(name), path)};
  }
  if (error) return error_from_errno(error.value(), "list '" + path + "'");
  return {};
}

}  // namespace drs
