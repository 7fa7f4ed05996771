// What a sweep reads, and in which order: least recently proven first. Pure. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/repository/evidence.h"
#include "engine/repository/snapshots.h"

namespace drs {

// One of `count` equal parts of the ring of names: names of packs, and digests of manifests.
struct SweepShard {
  std::uint32_t number = 1;  // from 1
  std::uint32_t count = 1;
  [[nodiscard]] bool contains(const Digest& name) const;
};

struct SweepScope {
  ProofLevel level = ProofLevel::kDecoded;
  WallNs proven_since_ns = 0;  // what was proven at or after it is not read
  SweepShard shard;
};

// Positions in `packs` of those to be read: first those that were never proven, then those proven longest ago; of the
// same time, by name. Those that were found damaged or are marked as damaged come last, so that they do not use up the
// budget of each night. Condemned packs are not read.
std::vector<std::size_t> due_packs(std::span<const PackInfo> packs, std::span<const PackProof> proofs,
                                   const SweepScope& scope);

// Snapshots to be rebuilt: first those that never were, the newest of each stream before all others, then those rebuilt
// longest ago, well or not. Pointers into `catalog`.
std::vector<const Snapshot*> due_snapshots(const SnapshotCatalog& catalog, const Evidence& evidence,
                                           const SweepScope& scope);

}  // namespace drs
