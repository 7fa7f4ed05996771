// Reads the documents of retention with the key, and checks that their content agrees with their names.
#pragma once

#include <string>

#include "engine/format/keys.h"
#include "engine/format/retention.h"

namespace drs {

// Errors of each: kTruncated, kCorrupt (also: the content differs from the name), kFormatTooNew.
Result<Waits> open_waits(const RepositoryKeys& keys, const std::string& name, ByteView object);
Result<Retired> open_retired(const RepositoryKeys& keys, const std::string& name, ByteView object);
// `name`: of an object under kept/ or holds/.
Result<Hold> open_hold(const RepositoryKeys& keys, const std::string& name, ByteView object);

}  // namespace drs
