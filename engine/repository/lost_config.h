// A place without a config: either empty, or a repository that has lost its config/. A new repository must never be
// made in the latter.
#pragma once

#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

// Checks that a new repository can be made here: there is no object of a repository, except key slots, which a killed
// init leaves behind. Errors: kAlreadyExists (the text names an object found, what is missing, and the remedy); the
// store's.
Result<void> require_empty_place(ObjectStore& store);
// kAlreadyExists for a place that has a config.
Error place_is_taken(const ObjectStore& store);

// Whether there is an object under config/, valid or not. Errors: the store's.
Result<bool> holds_config(ObjectStore& store);

// kNoRepository for a place without a config. The text distinguishes a lost config/ from a place that never had one.
Error no_repository_error(ObjectStore& store);

}  // namespace drs
