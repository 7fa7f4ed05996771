// Rebuilds one snapshot in the simplest way: stream by stream, part by part, run by run, one block at a time. Shares no
// code with the pipeline that restores. Runs before the check of the recipes, which finds out which snapshots the
// blocks affect that are found damaged here.
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
  // `blocks_max`: the most decoded blocks to keep.
  Rebuild(CheckContext& context, LiveIndex& index, BlockReader& reader, IndexClaims& claims, std::size_t blocks_max)
      : context_(context),
        store_(context.repository.store()),
        index_(index),
        reader_(reader),
        claims_(claims),
        blocks_max_(blocks_max) {}

  // Compares length, SHA-256 and XXH3 of the rebuilt streams with the manifest. Reports differences and damage as
  // findings, and continues after them. Errors: those that do not concern stored objects; kCancelled.
  Result<void> run(const Snapshot& snapshot);
  // The ids of the snapshots that proved right.
  [[nodiscard]] const std::unordered_set<std::string>& whole_ids() const { return whole_ids_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Kept {
    BlockId id;
    Bytes plain;
  };
  // Returns whether the stream was rebuilt completely and equals its manifest.
  Result<bool> rebuild_stream(const Snapshot& snapshot, const ManifestStream& stream);
  // Returns the plaintext of a block, or null after its damage was reported.
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
