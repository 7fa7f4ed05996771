// How a push is finished whose process died after a spool (sinks/spool_store.h) had recorded its manifest.
//
// The manifest is the record of the producer's proof: it is sealed only once the producer has ended well and the gates
// have passed. So whatever else is lost, a recorded manifest may be committed as soon as all that it needs is stored.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "engine/format/manifest.h"
#include "engine/repository/repository.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

struct RecordedPush {
  std::string manifest_name;
  Bytes object;  // the sealed manifest
  Digest manifest_digest;
  Manifest manifest;
};
// Errors: kCorrupt, kTruncated (the record is damaged, or of another repository), kFormatTooNew.
Result<RecordedPush> open_recorded_push(const Repository& repository, std::string manifest_name, Bytes object);

// Commits it: takes its session up again, runs `upload`, which returns once everything spooled is in the store, looks
// that every block the snapshot needs lies in a pack that exists and that nobody condemned, secures these
// (ObjectStore::secure), creates the manifest. Once it was committed, by this call or before, doing it again is a
// success. Returns warnings. `repository`: its store takes the manifest; `index_cache_bytes`: memory for directories of
// the index. Errors: kConflict (fenced or removed meanwhile, or a pack it needs is gone: the producer must run again),
// kCorrupt (something it needs is damaged, or may be condemned by a record that cannot be read; either may be mended),
// those of `upload`, the store's.
Result<std::vector<std::string>> finish_recorded_push(Repository& repository, const RecordedPush& push,
                                                      const std::function<Result<void>()>& upload,
                                                      std::size_t index_cache_bytes);

// Whether the store proves that the push was given up: a prune's fence has the manifest's name, or a removal mark names
// it. What is merely not there proves nothing. Errors: the store's, kCorrupt.
Result<bool> is_given_up(Repository& repository, const RecordedPush& push);

}  // namespace drs
