// Objects of a newer drstream are not damaged: their findings have a severity of their own, and they get no mark
// (docs/FORMAT.md, "What an unknown means").
#pragma once

#include <string>

#include "engine/format/names.h"
#include "sinks/object_store.h"
#include "verify/verify.h"

namespace drs {

// The severity of a finding about an object that cannot be read because of `error`.
Finding::Severity severity_of(const Error& error);

// Packs and index objects are read in parts, and no seal covers their version: a flipped bit in it looks like a newer
// version. If `error` is kFormatTooNew, this reads the whole object and compares its digest with its name. If they
// differ, `error` becomes kCorrupt; if the object cannot be read, `error` becomes that error. Errors: those of the
// store that do not concern one object.
Result<void> tell_from_damage(ObjectStore& store, const std::string& name, Error& error);

}  // namespace drs
