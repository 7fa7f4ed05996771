// How much of each pack is live, and which packs are worth deleting. Nothing depends on it for safety: what is chosen
// is judged again by the second half of a deletion (verdict.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/pipeline/keeping/live_data.h"
#include "io/base/run_control.h"

namespace drs {

struct PackUse {
  std::uint32_t live_bytes = 0;    // sealed live blocks; of several packs with a block, it is live in one
  std::uint32_t blocks_bytes = 0;  // all its sealed blocks
  bool known = false;              // its blocks are known, from the index or its table, or nobody can use any
};

struct SpaceTotals {
  std::uint64_t packs = 0;
  std::uint64_t packs_bytes = 0;
  std::uint64_t live_bytes = 0;       // sealed live blocks
  std::uint64_t condemned_packs = 0;  // named by a record, and still there
  std::uint64_t condemned_bytes = 0;
  // Of packs that no record names: dead blocks, and all of a pack without live ones. The envelope and the table of
  // another pack are not dead, since a move would not give them back.
  std::uint64_t dead_bytes = 0;
  // Their tables cannot be read, or they have another size than the index says, and an index object may list live
  // blocks in them: neither live nor dead. Without such blocks they are dead.
  std::uint64_t unknown_packs = 0;
};

struct DeadSpace {
  std::vector<PackUse> uses;  // in the order of live.packs->packs()
  SpaceTotals totals;
};
// Streams all directories of the index once, and those of packs with damage marks twice. Errors: kCancelled, the
// store's.
Result<DeadSpace> measure_dead_space(LiveData& live, const RunControl& control);

struct ChoiceOptions {
  WallNs now_ns = 0;  // the store's time
  std::chrono::nanoseconds age_min{};
  bool leave_billed = true;          // leaves packs that the store bills for a least time, until that has passed
  std::uint64_t move_bytes_max = 0;  // sealed live blocks to be moved
  std::size_t pack_bytes_target = 0;
};
struct ChosenPacks {
  std::vector<PackInfo> dead;     // without live blocks
  std::vector<PackInfo> to_move;  // with live blocks, the most dead first
  std::uint64_t dead_bytes = 0;   // that deleting both gives back
  std::uint64_t move_bytes = 0;   // live bytes in `to_move`
  // Dead bytes that are left out: too young, billed anyway, below the threshold, or over the budget.
  std::uint64_t left_bytes = 0;
  std::uint64_t young_bytes = 0;   // part of these: too young
  std::uint64_t billed_bytes = 0;  // likewise: old enough, but billed anyway
};
// Chooses the packs without live blocks; then, until the dead bytes that can be moved are at most a tenth of the live
// ones, those with the largest dead share; then small packs, if they fill one. Packs that a record names, that are
// younger than the least age, that cost as much deleted as kept, or whose blocks are marked as damaged and live, are
// left.
ChosenPacks choose_packs(const LiveData& live, const DeadSpace& space, const ChoiceOptions& options);

}  // namespace drs
