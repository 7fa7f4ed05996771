#include "tests/model/state.h"

namespace drs::model {
namespace {

// What the sets of the objects that are there hold together.
template <int kSize>
Set united(Set there, const Numbered<Set, kSize>& sets) {
  Set all;
  for (int number = 0; number < kSize; ++number)
    if (there.has(number)) all |= sets[number];
  return all;
}

}  // namespace

State initial(const Scenario& scenario) {
  State state;
  state.packs = scenario.packs - scenario.packs_lost;
  state.content = only(kP2) | only(kCopied);
  if (scenario.snapshot) state.stored[kSnapshot] = scenario.snapshot_block == 0 ? kBlock0 : kBlock1;
  if (scenario.claims0 != kNone) state.index |= only(kIndex0);
  if (scenario.claims1 != kNone) state.index |= only(kIndex1);
  state.claims[kIndex0] = scenario.claims0;
  state.claims[kIndex1] = scenario.claims1;
  state.claims[kIndexPush] = only(kPushed);
  if (scenario.writers.has(kResume) && scenario.resume_began) state.sessions |= only(kResume);
  for (int name = 0; name < kNames; ++name) {
    if (!scenario.fenced.has(name)) continue;
    state.stored[name] = kFence;
    state.writers[name].step = kStepBeforeCommit;
  }
  state.pruners[0].runs = static_cast<std::uint8_t>(scenario.runs_x);
  state.pruners[1].runs = static_cast<std::uint8_t>(scenario.runs_y);
  return state;
}

Set used_packs(const Scenario& scenario) {
  Set packs = scenario.packs;
  if (scenario.moves) packs |= only(kMovedX) | only(kMovedY);
  if (scenario.writers.has(kCopy)) packs |= only(kP2) | only(kCopied);
  if (scenario.stores_new) packs |= only(kPushed);
  if (scenario.repair_packs > 0) packs |= only(kRepaired);
  // A prune moves live blocks of condemned packs, whatever the scenario.
  return packs | only(kMovedX) | only(kMovedY);
}

Set packs_with(const State& state, int block) {
  return block == 1 ? state.content : kEvery - state.content;
}

Set all_retired(const State& state) {
  return united(state.retired, state.retires);
}

Set all_condemned(const State& state) {
  return united(state.records, state.condemned);
}

Set all_condemned_index(const State& state) {
  return united(state.records, state.condemned_index);
}

Set claimed_packs(const State& state) {
  return united(state.index, state.claims);
}

Set live_names(const State& state) {
  Set names;
  for (int name = 0; name < kNames; ++name)
    if (is_manifest(state.stored[name])) names |= only(name);
  return (names - (state.removed | all_retired(state)));
}

Set distrusted(const Model& model, const State& state, Set records) {
  Set packs;
  for (int record = 0; record < kPruners; ++record) {
    if (!records.has(record) || !state.records.has(record)) continue;
    if (!state.unreadable.has(kRecordX + record))
      packs |= state.condemned[record];
    else if (model.rules.distrusts_unreadable_record)
      packs |= model.rules.unreadable_stops_reuse ? used_packs(model.scenario) : state.older[record];
  }
  return packs;
}

}  // namespace drs::model
