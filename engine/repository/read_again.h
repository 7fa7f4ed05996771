// Bytes can be damaged between the store's disk and this process: by a network with weak checksums, by memory.
// Therefore an object that seems damaged is read once more before the damage is reported or marked. Damage in the store
// itself remains at the second read.
#pragma once

#include <functional>
#include <span>
#include <utility>

#include "engine/format/document.h"
#include "io/base/bytes.h"
#include "io/base/error_class.h"
#include "io/base/result.h"
#include "sinks/object_io.h"
#include "sinks/object_store.h"

namespace drs {

// Runs `read`, which reads from a store and checks the bytes. If its error is damage (io/base/error_class.h), runs it
// once more and returns that result.
template <typename Read>
auto read_again_if_damaged(const Read& read) {
  auto result = read();
  if (!result.ok() && is_damage(result.error())) return read();
  return result;
}

// get_object for an object that ends in its digest (docs/FORMAT.md). If the digest is wrong, reads it once more and
// returns those bytes, right or wrong: the decoder reports the damage.
inline Result<Bytes> get_document(ObjectStore& store, const ObjectKey& key, std::size_t size_bytes_max) {
  auto bytes = get_object(store, key, size_bytes_max);
  if (bytes.ok() && !has_valid_trailing_digest(*bytes)) return get_object(store, key, size_bytes_max);
  return bytes;
}

// The same for several (get_objects).
inline Result<void> get_documents(ObjectStore& store, std::span<const ObjectInfo> objects, std::size_t size_bytes_max,
                                  const std::function<Result<void>(std::size_t, Result<Bytes>)>& visit) {
  return get_objects(store, objects, size_bytes_max, [&](std::size_t place, Result<Bytes> bytes) {
    if (bytes.ok() && !has_valid_trailing_digest(*bytes)) bytes = get_object(store, objects[place].key, size_bytes_max);
    return visit(place, std::move(bytes));
  });
}

}  // namespace drs
