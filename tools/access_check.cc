#include "tools/access_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>

#include "engine/format/names.h"
#include "engine/format/object_rules.h"

namespace drs {
namespace {

using State = CheckResult::State;

constexpr std::size_t kSampledKinds = 4;  // the first of them, without which nothing can be restored
constexpr std::size_t kSampleBytes = 4096;
constexpr const char* kUnfinished = ".incoming";

std::string user_name(uid_t user) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.pw_name;
  return fmt::format("user {}", user);
}

// The newest object of each kind.
Result<std::map<ObjectKind, ObjectInfo>> newest_objects(ObjectStore& store) {
  std::map<ObjectKind, ObjectInfo> newest;
  std::vector<std::string_view> prefixes;
  for (const ObjectRule& rule : object_rules()) prefixes.push_back(rule.prefix);
  DRS_RETURN_IF_ERROR(store.list_together(prefixes, [&](const ObjectInfo& info) -> Result<void> {
    const auto parsed = parse_name(info.key);
    if (!parsed) return {};
    const auto [at, first] = newest.emplace(parsed->kind, info);
    if (!first && info.modified_ns > at->second.modified_ns) at->second = info;
    return {};
  }));
  return newest;
}

class PermissionWalk {
 public:
  void look_at_folder(const std::filesystem::path& folder) {
    if (!may_use(folder, R_OK | W_OK | X_OK)) return;
    std::error_code unreadable;  // a folder that went meanwhile
    for (const auto& entry : std::filesystem::directory_iterator(folder, unreadable)) {
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
  bool may_use(const std::filesystem::path& path, int mode) {
    if (::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0) return true;
    if (errno != EACCES && errno != EPERM) return true;  // a read-only mount is told by "writing"
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

std::vector<CheckResult> check_stored_objects(ObjectStore& store) {
  const auto newest = newest_objects(store);
  if (!newest.ok()) return {failed_check("reading", newest.error())};
  const bool found = newest->contains(ObjectKind::kConfig);
  std::vector<CheckResult> results = {
      {"repository", found ? State::kGood : State::kNotice,
       fmt::format("{}, {}", found ? "found" : "none at this place", store.io_description())}};
  if (!found) return results;
  std::string read;
  Bytes sample(kSampleBytes);
  for (const ObjectRule& rule : object_rules().first(kSampledKinds)) {
    const auto object = newest->find(rule.kind);
    if (object == newest->end()) continue;
    const auto bytes = std::min<std::uint64_t>(object->second.size_bytes, sample.size());
    const auto got = get_range(store, object->second.key, 0, MutableByteView(sample).first(bytes));
    if (!got.ok()) {
      results.push_back(failed_check("reading", got.error().with_context(object->second.key)));
      continue;
    }
    read += (read.empty() ? "" : ", ") + std::string(object_kind_name(rule.kind));
  }
  if (results.size() == 1)
    results.push_back(
        {"reading", State::kGood, "every folder can be listed, and the newest of each can be read: " + read});
  return results;
}

std::optional<CheckResult> check_permissions(const std::string& directory) {
  PermissionWalk walk;
  const std::filesystem::path root(directory);
  for (const ObjectRule& rule : object_rules()) {
    const std::filesystem::path folder = (root / rule.prefix).parent_path();
    std::error_code absent;
    if (std::filesystem::is_directory(std::filesystem::symlink_status(folder, absent))) walk.look_at_folder(folder);
  }
  std::error_code absent;
  if (std::filesystem::is_directory(root / kUnfinished, absent)) walk.look_at_folder(root / kUnfinished);
  if (walk.refused() == 0) return std::nullopt;
  CheckResult result = failed_check(
      "permissions",
      {ErrorCode::kDenied,
       fmt::format("{} of the repository's folders and objects may not be used by {}, such as {}: another user has "
                   "pushed here. Give them back as root: chown -R --reference={} {}, and push as one user only",
                   walk.refused(), user_name(::geteuid()), walk.first(), directory, directory)});
  return result;
}

std::string other_owner_warning(const std::string& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0 || status.st_uid == ::geteuid()) return "";
  const std::string owner = user_name(status.st_uid);
  const std::string self = user_name(::geteuid());
  return fmt::format(
      "this runs as {}, but {} belongs to {}: what is stored now will belong to {} alone (mode 0600), and "
      "{} cannot push, list or verify there any more. Run it as {}; what is there already gives back: "
      "chown -R --reference={} {}",
      self, directory, owner, self, owner, owner, directory, directory);
}

}  // namespace drs
