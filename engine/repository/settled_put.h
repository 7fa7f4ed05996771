// Puts that must be known to have happened, of objects whose bytes the caller knows by their SHA-256. Blocking.
#pragma once

#include "io/bytes.h"
#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

// Stores `body`, whose SHA-256 is `digest`. Success also where the object is there already with these bytes. Errors:
// kCorrupt (other bytes stand under this name), the store's.
Result<void> put_settled(ObjectStore& store, const ObjectKey& key, ByteView body, const Digest& digest);

// After a put of `body` that ended with `error` because its reply was lost, or it found the name taken: the object
// there decides; where there is none it is put again. Errors: as put_settled; `error` where nobody can be asked.
Result<void> settle_put(ObjectStore& store, const ObjectKey& key, ByteView body, const Digest& digest, Error error);

}  // namespace drs
