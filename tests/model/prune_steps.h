// The steps of a prune. A run is the first half for a new record, the second half for an existing one, or housekeeping.
#pragma once

#include "tests/model/steps.h"

namespace drs::model {

enum PruneStep : std::uint8_t {
  kIdle,
  // First half
  kListIndexToMerge,
  kPutMergedIndex,
  kListSessionsFirst,  // a mutant
  kPutRecord,
  kListSessions,
  kPutWaits,
  // Second half
  kReadRecord,
  kSettle,
  kPutFence,
  kListManifests,
  kListRemovalMarks,
  kListRetiredObjects,
  kReadRetiredObjects,
  kListKept,
  kReadRecipes,
  kListAllPacks,
  kListIndexObjects,
  kListCondemned,
  kDelete,
  // Housekeeping
  kRetireList,
  kRetireRead,
  kRetireListManifests,
  kRetireListMarks,
  kRetirePut,
  kRetireDeleteTaken,
  kRetireDeleteOlder,
  kDropListMarks,
  kDropListKept,
  kDropDelete,
};

// Ends the run.
void rest(Pruner& pruner);
constexpr int moved_pack(int pruner) {
  return pruner == 0 ? kMovedX : kMovedY;
}
constexpr int merged_index(int pruner) {
  return pruner == 0 ? kIndexX : kIndexY;
}
// Whether the pack that this prune may write was never there.
bool may_move(const State& state, int pruner);
void put_moved(State& state, int pruner, int block);

// Adds the steps that begin a run of each kind.
void begin_first_half(const Model& model, const State& state, int pruner, Steps& steps);
void begin_housekeeping(const Model& model, const State& state, int pruner, Steps& steps);
void first_half(const Model& model, const State& state, int pruner, Steps& steps);
void second_half(const Model& model, const State& state, int pruner, Steps& steps);
void housekeeping(const Model& model, const State& state, int pruner, Steps& steps);
// Decides what to delete, or moves a block: the last lists of the second half.
void verdict(const Model& model, const State& state, int pruner, Steps& steps);

}  // namespace drs::model
