// Bytes can be damaged between the store's disk and us: by a network whose checksums are weak, by memory. So what looks
// damaged is read once more, before it is called damage or marked as such; a damage in the store looks the same then.
#pragma once

#include <functional>
#include <span>
#include <utility>

#include "engine/format/document.h"
#include "io/bytes.h"
#include "io/error_class.h"
#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

// `read` reads from a store and checks what it read; it must be fit to run twice. It runs again, once, if its error is
// damage (io/error_class.h); that run's result counts.
template <typename Read>
auto read_again_if_damaged(const Read& read) {
  auto result = read();
  if (!result.ok() && is_damage(result.error())) return read();
  return result;
}

// get_object for an object that ends in its digest (docs/FORMAT.md): read again, once, if the digest is wrong. What is
// still wrong then is returned as it is, for the decoder to tell.
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
