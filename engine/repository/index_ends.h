// The ends of index objects: what opening an index reads of each. Several at the same time, since there are as many as
// pushes and the store may be far away.
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

// `visit` takes each object as listed, in no order, with its summary or why it could not be read: kCorrupt, kTruncated,
// kFormatTooNew, the store's. What `visit` returns ends it.
Result<void> read_index_ends(const Repository& repository, ObjectStore& store, std::span<const ObjectInfo> objects,
                             const std::function<Result<void>(const ObjectInfo&, Result<IndexEnds>)>& visit);

}  // namespace drs
