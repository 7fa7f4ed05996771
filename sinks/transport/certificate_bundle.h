// The certificate authorities that this machine trusts. libcurl knows only the path of the distribution it was built
// for, but the release archive brings its own libcurl and runs on others.
#pragma once

#include <string>

namespace drs {

// The path of a PEM file; empty if none of the known places has one. `root` is prepended to each path, for tests with a
// tree of their own.
std::string find_certificate_bundle(const std::string& root = "");

}  // namespace drs
