#include "tools/cli/named_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace drs {

bool are_one_file(const std::string& a, const std::string& b) {
  std::error_code failed;
  if (std::filesystem::equivalent(a, b, failed)) return true;
  // Not both exist.
  const auto at = std::filesystem::weakly_canonical(std::filesystem::absolute(a, failed), failed);
  if (failed) return false;
  return at == std::filesystem::weakly_canonical(std::filesystem::absolute(b, failed), failed) && !failed;
}

std::vector<NamedFile> named_files(const CLI::App& command) {
  std::vector<NamedFile> files;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent())
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_type_name() != "FILE" || option->get_lnames().empty()) continue;
      for (const std::string& path : option->results())
        if (path != "-") files.push_back({"--" + option->get_lnames().back(), path});
    }
  return files;
}

Result<void> check_written_apart(const std::vector<NamedFile>& files) {
  for (const NamedFile& written : files) {
    if (written.name != "--report" && written.name != "--metrics") continue;
    for (const NamedFile& other : files)
      if (&other != &written && are_one_file(written.path, other.path))
        return Error(ErrorCode::kUsage,
                     fmt::format("{} and {} are one file, '{}', and {} replaces it: give it a file of its own",
                                 written.name, other.name, written.path, written.name));
  }
  return {};
}

}  // namespace drs
