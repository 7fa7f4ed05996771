// A place without a config: either empty, or a repository whose config/ was lost. The latter must never be built over.
#pragma once

#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

// A new repository can be made here: there is no object of a repository, but for key slots, which an init that was
// killed leaves behind. Errors: kAlreadyExists, saying what is there, what is missing and what brings it back; the
// store's.
Result<void> require_empty_place(ObjectStore& store);

// Whether a config lies here, whatever it says. Errors: the store's.
Result<bool> holds_config(ObjectStore& store);

// kNoRepository for a place where no config was found, telling a lost config/ from a place that never had one.
Error no_repository_error(ObjectStore& store);

}  // namespace drs
