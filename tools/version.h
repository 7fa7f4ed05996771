// Which drstream this is.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace drs {

std::string version_line();  // "drstream 0.1.0": also what manifests record
// Libraries in use with their versions, by name.
std::vector<std::pair<std::string, std::string>> library_versions();

}  // namespace drs
