// Rebuilds one snapshot as simply as can be: stream by stream, part by part, run by run, one block at a time. Nothing
// of it is shared with the pipeline that restores. It runs before the check of the recipes, which tells every snapshot
// of the blocks that are found damaged here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "engine/repository/block_reader.h"
#include "engine/repository/live_index.h"
#include "verify/check_context.h"
#include "verify/index_claims.h"

namespace drs {

// One thread. Everything passed in must outlive it.
class Rebuild {
 public:
  // `blocks_max`: decoded blocks to keep.
  Rebuild(CheckContext& context, LiveIndex& index, BlockReader& reader, IndexClaims& claims, std::size_t blocks_max)
      : context_(context),
        store_(context.repository.store()),
        index_(index),
        reader_(reader),
        claims_(claims),
        blocks_max_(blocks_max) {}

  // Compares length, SHA-256 and XXH3 of what comes out with the manifest. What is wrong becomes findings; it goes on
  // behind them. Errors: those that are not about stored objects; kCancelled.
  Result<void> run(const Snapshot& snapshot);
  [[nodiscard]] const std::unordered_set<std::string>& whole_ids() const { return whole_ids_; }  // came out right
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Kept {
    BlockId id;
    Bytes plain;
  };
  // True when all of it came out right.
  Result<bool> rebuild_stream(const Snapshot& snapshot, const ManifestStream& stream);
  // The plaintext of a block, or nothing once its damage is a finding.
  Result<const Bytes*> block(const Snapshot& snapshot, const BlockId& id);

  CheckContext& context_;
  ObjectStore& store_;
  LiveIndex& index_;
  BlockReader& reader_;
  IndexClaims& claims_;
  const std::size_t blocks_max_;
  std::list<Kept> kept_;  // most recently used first
  std::unordered_map<BlockId, std::list<Kept>::iterator, BlockIdHash> kept_places_;
  std::unordered_set<std::string> whole_ids_;
  std::uint64_t bytes_ = 0;
};

}  // namespace drs
