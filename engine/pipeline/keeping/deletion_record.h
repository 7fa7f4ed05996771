// The records of a deletion: condemned/R names what is to be deleted, waits/R the sessions that may still use it. A
// record is for ever: what it names is never used again, and it is never changed or removed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/format/marks.h"
#include "engine/format/retention.h"
#include "engine/repository/repository.h"

namespace drs {

struct DeletionRecord {
  Uuid id;
  WallNs stored_ns = 0;             // the store's time; 0 if unknown
  std::vector<Digest> condemned;    // packs and index objects, sorted
  std::optional<Error> unreadable;  // then `condemned` is empty, and the record may name anything
  std::optional<Waits> waits;       // empty if there are none yet, or if they cannot be read
  std::optional<Error> waits_unreadable;
};

// Reads all records, and the waits of each. One of each kind that is listed again but never found counts as unreadable.
// Errors: kUnavailable (they vanish each time they are listed), kDenied, the store's.
Result<std::vector<DeletionRecord>> load_deletion_records(Repository& repository);

// Stores a record of at most kCondemnedPacksMax names, and returns its id. Durable on return. Errors: those of
// put_settled.
Result<Uuid> put_condemned(Repository& repository, std::vector<Digest> names);

// Lists the running sessions and stores them as the waits of a record, which must be durable. Succeeds also if another
// prune has stored some. Errors: kUsage (more sessions than an object holds), those of put_settled, the store's.
Result<void> put_waits(Repository& repository, const Uuid& record);

}  // namespace drs
