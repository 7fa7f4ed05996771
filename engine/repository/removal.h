// Removal marks, read with the key. Anybody who can write can leave an object under the name of a mark; only an
// authentic one says that its manifest was removed.
#pragma once

#include <optional>
#include <string>

#include "engine/format/keys.h"
#include "engine/format/marks.h"
#include "sinks/object_store.h"

namespace drs {

// The mark that `object`, stored as `name`, is. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<RemovedMark> open_removed(const RepositoryKeys& keys, const std::string& name, ByteView object);

// The authentic mark of a manifest. Nothing: there is none, or what has its name is damaged, which proves nothing and
// hides no snapshot. Errors: the store's.
Result<std::optional<RemovedMark>> removal_of(const RepositoryKeys& keys, ObjectStore& store,
                                              const std::string& manifest_name);

}  // namespace drs
