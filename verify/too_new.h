// What a newer drstream wrote is no damage: a finding of its own, without a mark (docs/FORMAT.md, "What an unknown
// means").
#pragma once

#include <string>

#include "engine/format/names.h"
#include "sinks/object_store.h"
#include "verify/verify.h"

namespace drs {

// Of an object that cannot be read for `error`.
Finding::Severity severity_of(const Error& error);

// Packs and index objects are read by parts, and their version lies outside every seal: a flipped bit in it looks like
// a newer version, until the digest in the name is compared. Makes `error`, if it is kFormatTooNew, kCorrupt where the
// object has another digest than its name says, and what is wrong with reading it where that cannot be told. Reads the
// whole object then. Errors: the store's that are not about one object.
Result<void> tell_from_damage(ObjectStore& store, const std::string& name, Error& error);

}  // namespace drs
