#include "tools/output/time_zone.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>

namespace drs {
namespace {

constexpr std::string_view kZones = "/usr/share/zoneinfo/";
constexpr std::string_view kMagic = "TZif";
constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";

// Parts of letters joined by '/': no path leads out of the folder of zones.
bool is_zone_name(std::string_view name) {
  return !name.empty() && name.front() != '/' && name.back() != '/' && name.find("//") == std::string_view::npos &&
         name.find_first_not_of(kNameCharacters) == std::string_view::npos;
}

bool is_zone_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  std::array<char, kMagic.size()> magic{};
  return file != nullptr && std::fread(magic.data(), 1, magic.size(), file.get()) == magic.size() &&
         std::string_view(magic.data(), magic.size()) == kMagic;
}

}  // namespace

Result<void> use_time_zone(const std::string& name) {
  const std::string path = std::string(kZones) + name;
  // Zones below right/ count leap seconds, which our times do not have.
  if (!is_zone_name(name) || name.starts_with("right/") || !is_zone_file(path))
    return Error(ErrorCode::kUsage,
                 fmt::format("'{}' is not a time zone of this machine; accepted are names of files below {} (package "
                             "tzdata), such as Europe/Bucharest or UTC",
                             name, kZones));
  // With its path, since TZDIR may name other files.
  ::setenv("TZ", (":" + path).c_str(), 1);
  ::tzset();
  return {};
}

}  // namespace drs
