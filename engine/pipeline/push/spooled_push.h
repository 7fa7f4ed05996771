// Finishes a push whose process died after a spool (sinks/spool/spool_store.h) had recorded its manifest.
//
// A recorded manifest proves that the producer ended well: it is sealed only after that, and after the gates have
// passed. It may be committed as soon as everything it needs is stored.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "engine/format/manifest.h"
#include "engine/repository/repository.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

struct RecordedPush {
  std::string manifest_name;
  Bytes object;  // the sealed manifest
  Digest manifest_digest;
  Manifest manifest;
  // The end of the error that says that something it needs is lost.
  std::string if_lost = "since the push; run the producer again";
};
// Errors: kCorrupt, kTruncated (the record is damaged, or belongs to another repository), kFormatTooNew.
Result<RecordedPush> open_recorded_push(const Repository& repository, std::string manifest_name, Bytes object);

// Commits the push: resumes its session, runs `upload`, checks that every block of the snapshot lies in a pack that
// exists and is not condemned, secures these packs (ObjectStore::secure), and creates the manifest. `upload` returns
// once everything spooled is in the store. Succeeds if the push is committed already. Returns warnings. The manifest is
// put into the store of `repository`; `index_cache_bytes`: memory for directories of the index. Errors: kConflict
// (fenced or removed in the meantime, or a pack it needs is missing: the producer must run again), kCorrupt (an object
// it needs is damaged, or a condemned record cannot be read, which may name a pack that it needs; both may be
// repaired), kUnsettled (it is unknown whether the push is committed), those of `upload`, the store's.
Result<std::vector<std::string>> finish_recorded_push(Repository& repository, const RecordedPush& push,
                                                      const std::function<Result<void>()>& upload,
                                                      std::size_t index_cache_bytes);

// Whether the store proves that the push was given up: a prune's fence has the manifest's name, or a removal mark names
// it. A missing object proves nothing. Errors: the store's, kCorrupt.
Result<bool> is_given_up(Repository& repository, const RecordedPush& push);

}  // namespace drs
