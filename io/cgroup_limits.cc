#include "io/cgroup_limits.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

namespace drs {
namespace {

// cgroup v1 shows "no limit" as the largest multiple of a page.
constexpr std::uint64_t kUnlimitedBytes = std::uint64_t{1} << 60;

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

// Digits alone: "max" and "-1" are no number here.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

bool lists(std::string_view names, std::string_view name) {
  const std::vector<std::string> all = split(names, ',');
  return std::ranges::find(all, name) != all.end();
}

// Mountinfo writes space, tab, line feed and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size()) {
      out += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
      at += 3;
    } else {
      out += text[at];
    }
  }
  return out;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// What the kernel reports about the groups of this process.
struct SelfGroups {
  std::vector<std::string> mounts;  // lines of /proc/self/mountinfo
  std::vector<std::string> groups;  // lines of /proc/self/cgroup
};

// The mount of a hierarchy: `top` is the group whose folder is `place`.
struct Mount {
  std::string top;
  std::string place;
};

// `controller` empty: the hierarchy of v2. The last mount wins, since it covers those before.
std::optional<Mount> find_mount(const SelfGroups& self, std::string_view controller) {
  std::optional<Mount> found;
  for (const std::string& line : self.mounts) {
    const std::size_t mark = line.find(" - ");
    if (mark == std::string::npos) continue;
    const std::vector<std::string> first = split(std::string_view(line).substr(0, mark), ' ');
    const std::vector<std::string> second = split(std::string_view(line).substr(mark + 3), ' ');
    if (first.size() < 5 || second.size() < 3) continue;
    const bool is_it =
        controller.empty() ? second[0] == "cgroup2" : second[0] == "cgroup" && lists(second[2], controller);
    if (is_it) found = Mount{unescape(first[3]), unescape(first[4])};
  }
  return found;
}

// The process's group in the hierarchy, as /proc/self/cgroup names it: "7:cpu,cpuacct:/docker/1f", "0::/system.slice".
std::optional<std::string> find_group(const SelfGroups& self, std::string_view controller) {
  for (const std::string& line : self.groups) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view names = std::string_view(line).substr(first + 1, second - first - 1);
    const bool is_it = controller.empty() ? names.empty() && line.starts_with("0:") : lists(names, controller);
    if (is_it) return line.substr(second + 1);
  }
  return std::nullopt;
}

// The folders of the process's group and of those above it, innermost first.
std::vector<std::string> group_folders(const SelfGroups& self, std::string_view controller) {
  const auto mount = find_mount(self, controller);
  const auto group = find_group(self, controller);
  if (!mount || !group) return {};
  std::string below;
  if (mount->top == "/")
    below = *group;
  else if (*group == mount->top || group->starts_with(mount->top + "/"))
    below = group->substr(mount->top.size());
  // A group outside of the mount or of our cgroup namespace is invisible. Only the mounted group is left then.
  if (below.find("/..") != std::string::npos) below.clear();
  std::vector<std::string> folders;
  while (!below.empty() && below != "/") {
    folders.push_back(mount->place + below);
    below.resize(below.rfind('/'));
  }
  folders.push_back(mount->place);
  return folders;
}

void take_memory(CgroupLimits& limits, const std::string& root, const std::string& file) {
  const auto line = first_line(root + file);
  const auto bytes = line ? number(*line) : std::nullopt;
  if (!bytes || *bytes >= kUnlimitedBytes) return;
  if (!limits.memory || *bytes < limits.memory->bytes) limits.memory = MemoryLimit{*bytes, file};
}

void take_cpu(CgroupLimits& limits, std::string_view quota_text, std::string_view period_text,
              const std::string& file) {
  const auto quota_us = number(quota_text);
  const auto period_us = number(period_text);
  if (!quota_us || !period_us || *period_us == 0) return;
  const double cores = static_cast<double>(*quota_us) / static_cast<double>(*period_us);
  if (!limits.cpu || cores < limits.cpu->cores) limits.cpu = CpuLimit{cores, file};
}

}  // namespace

CgroupLimits read_cgroup_limits(const std::string& root) {
  const SelfGroups self{.mounts = lines_of(root + "/proc/self/mountinfo"),
                        .groups = lines_of(root + "/proc/self/cgroup")};
  CgroupLimits limits;
  for (const std::string& folder : group_folders(self, "")) {
    take_memory(limits, root, folder + "/memory.max");
    take_memory(limits, root, folder + "/memory.high");
    const auto line = first_line(root + folder + "/cpu.max");
    const std::vector<std::string> words = line ? split(*line, ' ') : std::vector<std::string>();
    if (words.size() == 2) take_cpu(limits, words[0], words[1], folder + "/cpu.max");
  }
  for (const std::string& folder : group_folders(self, "memory"))
    take_memory(limits, root, folder + "/memory.limit_in_bytes");
  for (const std::string& folder : group_folders(self, "cpu")) {
    const auto quota = first_line(root + folder + "/cpu.cfs_quota_us");
    const auto period = first_line(root + folder + "/cpu.cfs_period_us");
    if (quota && period) take_cpu(limits, *quota, *period, folder + "/cpu.cfs_quota_us");
  }
  return limits;
}

std::size_t usable_cores(const CgroupLimits& limits) {
  const std::size_t cores = std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
  if (!limits.cpu || limits.cpu->cores >= static_cast<double>(cores)) return cores;
  return std::max<std::size_t>(static_cast<std::size_t>(std::ceil(limits.cpu->cores)), 1);
}

std::size_t usable_cores() {
  return usable_cores(read_cgroup_limits());
}

}  // namespace drs
