// Blocking reads and puts of small objects: each starts its operations and runs the store until they are done.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

// `sha256` is that of the body, if the caller has it. Errors: kUsage for an invalid key; those of PutOperation.
Result<void> put_object(ObjectStore& store, const ObjectKey& key, ByteView body,
                        const std::optional<Digest>& sha256 = {});
// Reads a whole object. Errors: kCorrupt for one larger than `size_bytes_max` (takes no memory); those of GetOperation.
Result<Bytes> get_object(ObjectStore& store, const ObjectKey& key, std::size_t size_bytes_max);
// Reads whole objects that a list has named, several at a time and without asking for their sizes. Calls `visit` in the
// order in which they arrive, with the position in `objects` and the bytes or an error: kCorrupt as above, kTruncated
// for an object shorter than listed, the store's. An error from `visit` ends the reading and is returned.
Result<void> get_objects(ObjectStore& store, std::span<const ObjectInfo> objects, std::size_t size_bytes_max,
                         const std::function<Result<void>(std::size_t, Result<Bytes>)>& visit);
// Reads from the offset on and returns how many bytes: fewer than destination.size() only where the object ends.
Result<std::size_t> get_up_to(ObjectStore& store, const ObjectKey& key, std::uint64_t offset_bytes,
                              MutableByteView destination);
// Reads exactly destination.size() bytes from the offset. Errors: kTruncated if the object ends before; the store's.
Result<void> get_range(ObjectStore& store, const ObjectKey& key, std::uint64_t offset_bytes,
                       MutableByteView destination);

// One of several ranges that are read at the same time.
struct RangeRead {
  ObjectKey key;
  std::uint64_t offset_bytes = 0;
  MutableByteView destination;
  Result<void> result;  // as get_range
};
// Errors: those of ObjectStore::run. Each read has its own result.
Result<void> get_ranges(ObjectStore& store, std::span<RangeRead> reads);

}  // namespace drs
