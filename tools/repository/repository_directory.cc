#include "tools/repository/repository_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "engine/format/names.h"
#include "engine/format/object_rules.h"
#include "tools/cli/child_command.h"
#include "tools/output/printable.h"

namespace drs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUnfinished = ".incoming";

// Directories that operating systems create at the root of a file system.
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

std::string user_name(uid_t user) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.pw_name;
  return fmt::format("user {}", user);
}

class PermissionWalk {
 public:
  void look_at_folder(const fs::path& folder) {
    if (!may_use(folder, R_OK | W_OK | X_OK)) return;
    std::error_code unreadable;  // a folder that was removed meanwhile
    for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
      std::error_code ignored;
      if (entry.is_symlink(ignored)) continue;
      if (entry.is_directory(ignored))
        look_at_folder(entry.path());
      else if (folder.filename() != kUnfinished)
        may_use(entry.path(), R_OK);
    }
  }
  [[nodiscard]] std::size_t refused() const { return refused_; }
  [[nodiscard]] const std::string& first() const { return first_; }

 private:
  bool may_use(const fs::path& path, int mode) {
    if (::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0) return true;
    if (errno != EACCES && errno != EPERM) return true;  // a read-only mount is reported by "writing"
    if (refused_++ > 0) return false;
    struct stat status {};
    first_ = path.string();
    if (::stat(path.c_str(), &status) == 0)
      first_ += fmt::format(" (of {}, mode {:04o})", user_name(status.st_uid), status.st_mode & 07777);
    return false;
  }
  std::size_t refused_ = 0;
  std::string first_;
};

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
    return Error(ErrorCode::kUsage,
                 "'" + path + "' cannot be a directory: " + error.message() + "; choose another place", error.value());
  if (error) return error_from_errno(error.value(), "look up '" + path + "'");
  for (fs::path above = place; above.has_relative_path();) {
    above = above.parent_path();
    if (has_config(above))
      return Error(ErrorCode::kUsage,
                   fmt::format("'{}' lies in the repository {}: a repository in another one would be "
                               "moved, copied and removed with it; choose another place",
                               path, above.string()));
  }
  if (has_config(place)) return {};
  fs::directory_iterator entry(place, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) return {};
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (may_be_there(name)) continue;
    return Error(ErrorCode::kUsage,
                 fmt::format("the directory '{}' is not empty: it holds '{}', which does not belong to drstream; a new "
                             "repository needs a directory of its own, such as {}/drstream",
                             path, printable_value(name), path));
  }
  if (error) return error_from_errno(error.value(), "list '" + path + "'");
  return {};
}

std::optional<Error> refused_access(const std::string& directory) {
  PermissionWalk walk;
  const fs::path root(directory);
  for (const ObjectRule& rule : object_rules()) {
    const fs::path folder = (root / rule.prefix).parent_path();
    std::error_code absent;
    if (fs::is_directory(fs::symlink_status(folder, absent))) walk.look_at_folder(folder);
  }
  std::error_code absent;
  if (fs::is_directory(root / kUnfinished, absent)) walk.look_at_folder(root / kUnfinished);
  if (walk.refused() == 0) return std::nullopt;
  return Error(
      ErrorCode::kDenied,
      fmt::format("{} of the repository's folders and objects are not accessible to {}, such as {}: another user has "
                  "pushed here. Change their owner as root: chown -R --reference={} {}, and push as one user only",
                  walk.refused(), user_name(::geteuid()), walk.first(), shell_word(directory), shell_word(directory)));
}

std::string permission_advice(const std::string& directory) {
  if (::faccessat(AT_FDCWD, directory.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0 || errno != EACCES) {
    const auto refused = refused_access(directory);
    return refused ? refused->message : "";
  }
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0)
    return fmt::format("{} cannot look at {}: check the permissions of the directories above it",
                       user_name(::geteuid()), directory);
  const std::string owner = user_name(status.st_uid);
  const std::string self = user_name(::geteuid());
  return fmt::format(
      "{} belongs to {} (mode {:04o}), and this runs as {}: run drstream as {}; or, if the repository is "
      "to belong to {}, change its owner as root: chown -R {} {}",
      directory, owner, status.st_mode & 07777, self, owner, self, shell_word(self), shell_word(directory));
}

std::string other_owner_warning(const std::string& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0 || status.st_uid == ::geteuid()) return "";
  const std::string owner = user_name(status.st_uid);
  const std::string self = user_name(::geteuid());
  return fmt::format(
      "this runs as {}, but {} belongs to {}: the objects stored now will belong to {} alone (mode 0600), and {} can "
      "no longer push, list or verify there. Run drstream as {}; change the owner of objects already stored with: "
      "chown -R --reference={} {}",
      self, directory, owner, self, owner, owner, shell_word(directory), shell_word(directory));
}

}  // namespace drs
