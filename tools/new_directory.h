// Whether a directory is a place for a new repository: it must hold nothing else, nor lie in another one. A repository
// is copied, moved and thrown away as a whole.
#pragma once

#include <string>

#include "io/result.h"

namespace drs {

// `path` need not exist yet. Passes a directory with a config, which `init` itself refuses, and one with folders of
// ours and no config, which may be a repository that lost it. Errors: kUsage, naming what was found; kDenied, kIo.
Result<void> check_new_directory(const std::string& path);

// The local repository that `path`, which need not exist, is or lies in, by its config; empty where there is none.
std::string enclosing_repository(const std::string& path);

}  // namespace drs
