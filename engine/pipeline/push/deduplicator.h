// The ordered step of a push: finds which chunks of a segment are known, builds blocks of the new ones, and writes the
// recipe of the stream. Threads: one thread at a time.
#pragma once

#include <memory>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/pipeline/push/block_builder.h"
#include "engine/pipeline/push/known_blocks.h"
#include "engine/pipeline/push/push_stages.h"
#include "engine/pipeline/push/recipe_writer.h"
#include "engine/pipeline/push/reused_objects.h"

namespace drs {

class Deduplicator {
 public:
  // `reused` collects the objects that the snapshot relies on; nullptr if the store secures nothing.
  Deduplicator(const Uuid& session, KnownBlocks& known, PushStages& stages, ReusedObjects* reused,
               ProgressCounters& progress, const RecipeLimits& limits);

  // Takes the next segment, which is hashed. Errors: kUsage (more recipe parts than a manifest can name), kCancelled,
  // the store's.
  Result<void> add(const std::shared_ptr<Segment>& segment);
  // After the last segment: hands the gathered block and the last recipe part to the workers. Errors: as add.
  Result<void> finish();
  // After PackWriter::flush: registers the last published index objects, and with them their packs.
  void finish_packs() { take_published(); }

  struct Totals {
    std::uint64_t bytes = 0;
    std::uint64_t chunks = 0;
    std::uint64_t new_bytes = 0;
    std::uint64_t rewritten_bytes = 0;
    std::uint64_t copied_bytes = 0;
  };
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] const std::vector<RecipePartRef>& parts() const { return recipe_.parts(); }

 private:
  // The result of looking up a chunk of the segment, before blocks are built.
  struct Verdict {
    enum class Kind : std::uint8_t { kKnown, kNew, kRepeated } kind = Kind::kNew;
    std::size_t first_seen = 0;  // kRepeated: number of the equal chunk of this segment
  };
  void take_published();
  Result<void> look_up(const Segment& segment);
  Result<void> build_blocks(const std::shared_ptr<Segment>& segment);
  void store_scattered_anew(const Segment& segment);

  KnownBlocks& known_;
  PushStages& stages_;
  ReusedObjects* const reused_;
  ProgressCounters& progress_;
  BlockIds ids_;
  BlockBuilder builder_;
  RecipeWriter recipe_;
  Totals totals_;
  std::vector<Verdict> verdicts_;
  std::vector<ChunkPlace> places_;
  std::unordered_map<ChunkId, std::size_t, FixedBytesHash> fresh_;  // new chunks of this segment
  // New chunks of the block being gathered, which the index does not know yet.
  std::unordered_map<ChunkId, ChunkPlace, FixedBytesHash> gathered_;
};

}  // namespace drs
