// Reads the ends of index objects, which is all that opening an index needs. Reads many at a time: there are about as
// many as pushes, and the store may be remote.
#pragma once

#include <functional>
#include <span>

#include "engine/format/index.h"
#include "engine/repository/repository.h"

namespace drs {

struct IndexEnds {
  Salt salt;
  IndexSummary summary;
};

// Calls `visit` for each object, in no particular order, with its summary or the error of reading it: kCorrupt,
// kTruncated, kFormatTooNew, kNotFound, the store's. An error of `visit` ends the call and is returned.
Result<void> read_index_ends(const Repository& repository, ObjectStore& store, std::span<const ObjectInfo> objects,
                             const std::function<Result<void>(const ObjectInfo&, Result<IndexEnds>)>& visit);

}  // namespace drs
