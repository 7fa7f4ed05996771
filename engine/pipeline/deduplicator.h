// The ordered step of a push: which chunks of a segment are known, what blocks the new ones make, and the recipe of the
// stream. Threads: one thread at a time.
#pragma once

#include <memory>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/pipeline/block_builder.h"
#include "engine/pipeline/dedup_index.h"
#include "engine/pipeline/pack_writer.h"
#include "engine/pipeline/push_workers.h"
#include "engine/pipeline/recipe_builder.h"
#include "engine/pipeline/reused_objects.h"
#include "engine/repository/pack_catalog.h"

namespace drs {

class Deduplicator {
 public:
  // `reused`: told what the stream consists of; nullptr where nobody asks.
  Deduplicator(const Uuid& session, DedupIndex& dedup, BlockIndex& index, PackCatalog& catalog, SessionBlocks& blocks,
               PackWriter& packs, PushWorkers*& workers, ProgressCounters& progress, ReusedObjects* reused,
               const RecipeLimits& limits);

  Result<void> add(const std::shared_ptr<Segment>& segment);
  // After the last segment: the gathered block and the last recipe part are handed to the workers.
  Result<void> finish();
  // After the packs were flushed: what they hold is noted.
  void finish_packs() { take_published(); }

  struct Totals {
    std::uint64_t bytes = 0;
    std::uint64_t chunks = 0;
    std::uint64_t new_bytes = 0;
    std::uint64_t rewritten_bytes = 0;
    std::uint64_t copied_bytes = 0;
  };
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] const std::vector<RecipePartRef>& parts() const { return parts_; }

 private:
  // What is known of a chunk of the segment before its blocks are built.
  struct Verdict {
    enum class Kind : std::uint8_t { kKnown, kNew, kRepeated } kind = Kind::kNew;
    std::size_t first_seen = 0;  // kRepeated: the chunk of this segment that it equals
  };
  void take_published();
  void store_scattered_anew(const Segment& segment);
  Result<void> add_recipe_part(RecipePart part);

  const Uuid session_;
  DedupIndex& dedup_;
  BlockIndex& index_;
  PackCatalog& catalog_;
  SessionBlocks& blocks_;
  PackWriter& packs_;
  PushWorkers*& workers_;
  ProgressCounters& progress_;
  ReusedObjects* const reused_;
  const RecipeLimits limits_;
  BlockBuilder builder_;
  RecipeBuilder recipe_;
  std::vector<RecipePartRef> parts_;
  Totals totals_;
  std::vector<Verdict> verdicts_;
  std::vector<ChunkPlace> places_;
  std::unordered_map<ChunkId, std::size_t, FixedBytesHash> fresh_;  // new chunks of this segment
  // New chunks that are gathered and stand in no block that the index knows yet.
  std::unordered_map<ChunkId, ChunkPlace, FixedBytesHash> gathered_;
};

}  // namespace drs
