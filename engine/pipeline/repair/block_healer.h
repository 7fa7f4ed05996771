// Stores blocks again that have no good copy: from a replica, rebuilt from other copies of their chunks, or rebuilt
// from the same stream in another repository. Every block is compared with its XXH3 and every chunk with its keyed id,
// so that no source is trusted; what cannot be proven is not written. Threads: one at a time. All calls block.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/pipeline/failure.h"
#include "engine/pipeline/pull/block_recovery.h"
#include "engine/pipeline/repair/damage_survey.h"
#include "engine/pipeline/repair/other_repository.h"
#include "engine/pipeline/repair/snapshot_loss.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/repository.h"

namespace drs {

struct HealedBlocks {
  std::uint64_t moved = 0;     // out of a damaged pack in which they still decode
  std::uint64_t copied = 0;    // from a replica
  std::uint64_t rebuilt = 0;   // from other copies of their chunks in the same repository
  std::uint64_t restored = 0;  // from the same stream in another repository
  [[nodiscard]] std::uint64_t sum() const { return moved + copied + rebuilt + restored; }
};

class BlockHealer {
 public:
  struct Options {
    std::size_t index_cache_bytes = 16 * kMiB;
    bool dry_run = false;  // reads and proves the same, and writes nothing
  };
  // `other` may be null. All must outlive the object. Errors: kBusy (no memory for a codec).
  static Result<std::unique_ptr<BlockHealer>> make(Repository& repository, Survey& survey, OtherRepository* other,
                                                   Options options);

  // Adds a lost block to a new pack. Returns false if no source has it. Errors: those of BlockMover::move, the stores'.
  Result<bool> heal(const NeededBlock& block);
  // Moves a block that decodes in a damaged pack. Returns false if it does not any more. Errors: as heal.
  Result<bool> move(const NeededBlock& block);
  // New packs and their index objects are durable on return. Errors: those of put_settled.
  Result<void> flush();

  [[nodiscard]] const HealedBlocks& healed() const { return healed_; }
  // Of blocks that heal() could not rebuild: what no other copy of their chunks has.
  [[nodiscard]] const LostSpans& lost_spans() const { return lost_spans_; }
  [[nodiscard]] const BlockMover::Totals& stored() const { return mover_.totals(); }

 private:
  BlockHealer(Repository& repository, Survey& survey, OtherRepository* other, Options options, BlockMover mover,
              BlockReader reader)
      : repository_(repository),
        survey_(survey),
        other_(other),
        options_(options),
        mover_(std::move(mover)),
        reader_(std::move(reader)) {}
  Result<bool> take(const OpenedCopy& copy);
  Result<bool> take_rebuilt(const TableBlock& entry, ByteView plain);
  Result<bool> copy_from_replica(const NeededBlock& block);
  Result<bool> rebuild(const NeededBlock& block, const TableBlock& entry);
  Result<bool> restore(const NeededBlock& block, const TableBlock& entry);
  Result<void> fill(const NeededBlock& block, const PartUse& use, MutableByteView plain, std::vector<bool>& filled);
  Result<std::optional<RecipePart>> recipe_part(const RecipePartRef& ref);
  Result<std::optional<ManifestStream>> stream_of(const PartUse& use);

  Repository& repository_;
  Survey& survey_;
  OtherRepository* const other_;
  const Options options_;
  BlockMover mover_;
  BlockReader reader_;
  Failure never_failed_;                     // before recovery_, which refers to it
  std::unique_ptr<BlockRecovery> recovery_;  // opened when it is first needed
  Bytes plain_;
  std::optional<std::pair<RecipePartRef, RecipePart>> last_part_;
  std::optional<std::pair<const Snapshot*, Manifest>> last_manifest_;
  HealedBlocks healed_;
  LostSpans lost_spans_;
};

}  // namespace drs
