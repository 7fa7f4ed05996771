// The name of this machine, as manifests and sessions record it.
#pragma once

#include <string>

namespace drs {

std::string host_name();  // empty where it has none

}  // namespace drs
