// Unforget: makes a removed snapshot live again. Its recipe is committed under a new session, with the old sequence
// number, predecessor, times and tags, so it gets a new id; no mark of removal is taken back. Within the undo time of
// prune all its data is there; later it may be.
#pragma once

#include <string>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/repository/repository.h"
#include "io/base/run_control.h"

namespace drs {

struct UnforgetOptions {
  std::size_t index_cache_bytes = 16 * kMiB;
};

struct UnforgetReport {
  std::string manifest_name;  // of the new snapshot
  Digest manifest_digest;
  Manifest manifest;
  std::uint64_t moved_blocks = 0;  // out of packs that a prune has condemned
  std::vector<std::string> warnings;
};

// `removed_manifest`: the name of a manifest with a mark of removal. Safe beside prunes: the session object is stored
// before anything is listed, and blocks that lie only in condemned packs are moved into new ones before the commit.
// Errors: kNotFound (its manifest is deleted), kConflict (a block that it needs is deleted, or a prune has fenced the
// session), kCorrupt (its manifest or a block is damaged), those of finish_recorded_push, the store's.
Result<UnforgetReport> unforget(Repository& repository, const std::string& removed_manifest,
                                const UnforgetOptions& options, const RunControl& control);

}  // namespace drs
