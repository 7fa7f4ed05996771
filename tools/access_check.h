// Whether this user may use what a repository holds, as `drstream doctor` shows it: what a push and a verify list, read
// and write.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sinks/object_store.h"
#include "tools/machine_check.h"

namespace drs {

// Lists every folder, and reads the beginning of the config, of a key slot, of the newest manifest and of the newest
// pack, as far as they are there. "repository": whether there is one; "reading": what may not be listed or read.
std::vector<CheckResult> check_stored_objects(ObjectStore& store);

// Every folder and object of a local repository, which one push as another user makes unusable for its owner. Opens
// none of them. Empty: all may be used, or `directory` itself cannot be looked at.
std::optional<CheckResult> check_permissions(const std::string& directory);

// Not empty: this process runs as another user than the owner of `directory`, what that means for what it stores there
// and what to do.
std::string other_owner_warning(const std::string& directory);

}  // namespace drs
