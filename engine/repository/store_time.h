// The time by the store's own clock, which dates its objects: an age is the difference of two of its times, so no other
// machine's clock matters.
#pragma once

#include "engine/format/kinds.h"
#include "sinks/object_store.h"

namespace drs {

// Puts a small object with a random name under doctor/, lists when the store has it from, and removes it. Errors:
// kUsage (the store tells no times, or its list does not show the object), the store's. One that is left behind is
// harmless.
Result<WallNs> store_time(ObjectStore& store);

}  // namespace drs
