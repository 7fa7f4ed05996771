// What a restore of a snapshot would lack: of a lost block, only the bytes that its recipe takes and that no other copy
// of their chunks has. `drstream pull` restores a snapshot without such bytes completely, although the block cannot be
// stored again under its id. Threads: one at a time. All calls block.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/pipeline/keeping/block_set.h"
#include "engine/pipeline/pull/restore_schedule.h"
#include "engine/pipeline/repair/damage_survey.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/lost_ranges.h"
#include "engine/repository/repository.h"

namespace drs {

// Bytes of lost blocks that no other copy of their chunks has, in order; of a block without an entry: all.
using LostSpans = std::unordered_map<BlockId, std::vector<BlockSpan>, BlockIdHash>;

struct SnapshotLoss {
  std::uint64_t blocks = 0;  // lost ones that it needs, recipes included
  std::uint64_t recipes = 0;
  std::uint64_t bytes = 0;               // of its streams
  std::uint64_t ranges = 0;              // neighbours count as one
  std::uint64_t first_offset_bytes = 0;  // of its first stream with lost bytes; only with ranges
};

class SnapshotLosses {
 public:
  struct Lost {
    std::function<bool(const BlockId&)> contains;  // whether the block has no good copy
    const LostSpans& spans;
  };
  // All must outlive the object. `find_recipe`: as for survey_damage. Errors: kBusy (no memory for a codec).
  static Result<SnapshotLosses> make(Repository& repository, Survey& survey, Lost lost, FindRecipe find_recipe);

  // Of one of Survey::snapshots: reads its manifest, and each recipe part that no earlier call has read. Counts no
  // blocks. Errors: the stores'.
  Result<SnapshotLoss> of(const Snapshot& snapshot);

 private:
  SnapshotLosses(Repository& repository, Survey& survey, Lost lost, FindRecipe find_recipe, BlockReader reader)
      : repository_(repository),
        survey_(survey),
        lost_(std::move(lost)),
        find_recipe_(std::move(find_recipe)),
        reader_(std::move(reader)) {}
  Result<const std::vector<StreamSpan>*> lost_of(const RecipePartRef& part);
  Result<std::vector<StreamSpan>> look_for_lost(const RecipePartRef& part);
  void add_lost(const BlockId& block, const Run& run, std::uint64_t offset_bytes, std::vector<StreamSpan>& lost) const;

  Repository& repository_;
  Survey& survey_;
  const Lost lost_;
  const FindRecipe find_recipe_;
  BlockReader reader_;
  BlockSet seen_;                                                                // recipe parts
  std::unordered_map<BlockId, std::vector<StreamSpan>, BlockIdHash> with_loss_;  // those of them that lack bytes
  const std::vector<StreamSpan> none_;
};

}  // namespace drs
