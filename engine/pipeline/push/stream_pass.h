// One pass over a stream: from its source to durable packs, a recipe and digests. Commits nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/pipeline/push/deduplicator.h"
#include "engine/pipeline/push/known_blocks.h"
#include "engine/pipeline/push/push.h"
#include "engine/pipeline/push/stream_digest.h"
#include "engine/repository/write_session.h"
#include "io/source.h"

namespace drs {

struct StreamPass {
  StreamDigest::Digests digests;
  Deduplicator::Totals totals;
  std::vector<RecipePartRef> parts;
  PackWriter::Totals packs;
  std::uint64_t stored_bytes = 0;
  PushStats stats;
  ProducerProof proof;
  Bytes tail;                        // the last bytes, if a trailer is required
  std::vector<ObjectKey> relies_on;  // to be secured before the commit (ReusedObjects::names)
};

struct StreamPassInput {
  Repository& repository;
  Source& source;
  const PushOptions& options;
  const PushBudget& budget;
  ProgressCounters& progress;
  WriteSession& session;
  KnownBlocks& known;
  bool secures = false;  // ObjectStore::secures
};

// Reads the source to its end and waits for the producer's proof. Errors: as push, without those of gates and commit.
Result<StreamPass> pass_over(const StreamPassInput& input);

}  // namespace drs
