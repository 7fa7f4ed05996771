// Checks of the directory of a local repository: whether a new one can be made there, and whether this user may use the
// objects.
#pragma once

#include <optional>
#include <string>

#include "io/base/result.h"

namespace drs {

// A new repository's directory must hold nothing else, nor lie in another repository, since a repository is copied,
// moved and deleted as a whole. `path` need not exist yet. Accepts a directory with a config, which `init` itself
// refuses, and one with folders of ours and no config, which may be a repository that lost it. Errors: kUsage, naming
// what was found; kDenied, kIo.
Result<void> check_new_directory(const std::string& path);

// The local repository that `path` is or lies in, recognized by its config; empty if there is none. `path` need not
// exist.
std::string enclosing_repository(const std::string& path);

// Checks the access to every folder and object without opening them: one push as another user makes them unusable for
// the owner. kDenied: some may not be used, and what to do. Empty: all may be used, or `directory` itself cannot be
// read.
std::optional<Error> refused_access(const std::string& directory);

// What to do if this user may not use `directory` or what is in it; empty if all may be used. For a failure with
// kDenied: it looks at every folder and object.
std::string permission_advice(const std::string& directory);

// Not empty: this process runs as another user than the owner of `directory`; says what that means for the objects that
// it stores, and what to do.
std::string other_owner_warning(const std::string& directory);

}  // namespace drs
