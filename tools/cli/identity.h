// Which drstream this is and where it runs, as manifests and sessions record it.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace drs {

std::string version_line();  // "drstream 0.1.0"

std::string host_name();  // empty where this machine has none

// Libraries in use with their versions, by name.
std::vector<std::pair<std::string, std::string>> library_versions();

}  // namespace drs
