#include "tests/model/prune_steps.h"

namespace drs::model {
namespace {

Set live_blocks(const State& state, Set names) {
  Set blocks;
  for (int name = 0; name < kNames; ++name)
    if (names.has(name) && is_manifest(state.stored[name])) blocks |= only(state.stored[name] - kBlock0);
  return blocks;
}

void read_record(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  const int record = p.record;
  const char* const actor = pruner_text(pruner);
  const bool waits_unreadable = state.unreadable.has(kWaitsX + record);
  if (!state.records.has(record) || state.unreadable.has(kRecordX + record)) {
    rest(p);
    return steps.add(next, actor, "cannot read the record, and ends");
  }
  if (!state.waits.has(record)) {
    p.step = kListSessions;
    return steps.add(next, actor, "finds no waits of the record: its run died");
  }
  if (waits_unreadable && model.rules.unreadable_waits_keep) {
    rest(p);
    return steps.add(next, actor, "cannot read the waits, and ends");
  }
  p.names = waits_unreadable ? kNone : state.waits_for[record];
  p.step = kSettle;
  if (!model.rules.checks_manifests) p.blocks = live_blocks(state, only(kSnapshot) & live_names(state));
  if (!model.rules.fences_before_lists) p.blocks = live_blocks(state, live_names(state));
  steps.add(next, actor, "reads the record and the waits of ", record == 0 ? "X" : "Y");
}

// A session is settled by a manifest or fence of its name, or when its objects are gone.
void settle(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  const char* const actor = pruner_text(pruner);
  Set settled = (p.names - state.sessions) | all_retired(state);
  for (int name = 0; name < kNames; ++name)
    if (state.stored[name] != kAbsent) settled |= only(name);
  const bool exclusive = model.scenario.exclusive && pruner == 0;
  if (!model.rules.fences || (exclusive && !model.rules.exclusive_fences)) settled = p.names;
  p.names -= settled;
  if (p.names == kNone) {
    const bool lists = model.rules.checks_manifests && model.rules.fences_before_lists;
    p.step = lists ? kListManifests : kListAllPacks;
    return steps.add(next, actor, "finds all sessions settled");
  }
  p.step = kPutFence;
  if (model.rules.silent_is_fenced) steps.add(next, actor, "finds silent: ", name_text(p.names.lowest()));
  if (exclusive) return;
  rest(p);
  steps.add(next, actor, "finds an unsettled session alive, and waits");
}

void put_fence(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  const int name = p.names.lowest();
  if (state.stored[name] == kAbsent || !model.rules.fence_keeps_manifest) next.stored[name] = kFence;
  p.step = kSettle;
  steps.add(next, pruner_text(pruner), "fences ", name_text(name));
}

void read_recipes(const Model& model, const State& state, int pruner, Steps& steps);

void list_removal_marks(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  const Scenario& scenario = model.scenario;
  const bool ignores_undo =
      !model.rules.undo_protects || (scenario.exclusive && pruner == 0 && !model.rules.exclusive_keeps_undo);
  Set dead = ignores_undo ? state.removed : state.removed & state.aged;
  if (state.unreadable.has(kForgedMark) && !model.rules.unreadable_mark_hides_nothing) dead |= only(kSnapshot);
  p.removed = scenario.hold ? p.names & dead : kNone;
  p.names -= dead;
  p.step = scenario.retire ? kListRetiredObjects : scenario.hold ? kListKept : kReadRecipes;
  // Without housekeeping of old manifests the listed ones are there at any later time.
  const bool manifests_stay = !scenario.undo && scenario.unreadable == kNone;
  if (p.step == kReadRecipes && manifests_stay) return read_recipes(model, next, pruner, steps);
  steps.add(next, pruner_text(pruner), "lists removal marks");
}

void list_retired(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  if (p.step == kListRetiredObjects) {
    p.numbers = state.retired;
    p.step = kReadRetiredObjects;
    return steps.add(next, pruner_text(pruner), "lists retired");
  }
  const bool vanished = !(p.numbers - state.retired).empty();
  for (int number = 0; number < kRetiredMax; ++number) {
    if (!(p.numbers & state.retired).has(number)) continue;
    p.names -= state.retires[number];
    p.removed -= state.retires[number];
  }
  p.numbers = kNone;
  p.step = model.scenario.hold ? kListKept : kReadRecipes;
  if (vanished && model.rules.vanished_retired_again) p.step = kListRetiredObjects;
  steps.add(next, pruner_text(pruner), "reads the retired objects");
}

void list_kept(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  const bool kept = model.rules.kept_after_removed ? state.kept : p.early;
  if (kept && model.rules.kept_protects) p.names |= p.removed & only(kSnapshot);
  p.removed = kNone;
  p.early = false;
  p.step = kReadRecipes;
  steps.add(next, pruner_text(pruner), "lists holds");
}

// Reads the manifests that it takes for live, and their recipes.
void read_recipes(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  const bool snapshot = p.names.has(kSnapshot);
  const bool no_manifest = snapshot && state.unreadable.has(kManifest);
  const bool no_recipe = snapshot && state.unreadable.has(kRecipe);
  if ((no_manifest && model.rules.unreadable_manifest_keeps) || (no_recipe && model.rules.unreadable_recipe_keeps)) {
    rest(p);
    return steps.add(next, pruner_text(pruner), "cannot read a live manifest or its recipe, and ends");
  }
  for (int name = 0; name < kNames; ++name) {
    if (!p.names.has(name) || is_manifest(state.stored[name])) continue;
    p.names = kNone;
    p.step = kListManifests;
    return steps.add(next, pruner_text(pruner), "misses a manifest that it has listed");
  }
  const Set readable = no_manifest || no_recipe ? (p.names - only(kSnapshot)) : p.names;
  p.blocks = live_blocks(state, readable);
  p.names = kNone;
  p.step = kListAllPacks;
  steps.add(next, pruner_text(pruner), "lists and reads the live manifests and their recipes");
}

void remove_record(State& state, int record) {
  state.records -= only(record);
  state.records_removed |= only(record);
  state.condemned[record] = state.condemned_index[record] = state.older[record] = kNone;
  state.waits -= only(record);
  state.waits_for[record] = kNone;
}

void delete_one(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  const char* const actor = pruner_text(pruner);
  const bool permanent = model.rules.records_permanent;
  if (p.packs != kNone) {
    const int pack = p.packs.lowest();
    p.packs -= only(pack);
    next.packs -= only(pack);
    next.damaged -= only(pack);
    if (permanent && (p.packs | p.index) == kNone) rest(p);
    return steps.add(next, actor, "deletes ", pack_text(pack));
  }
  if (p.index != kNone) {
    const int index = p.index.lowest();
    p.index -= only(index);
    next.index -= only(index);
    if (permanent && p.index == kNone) rest(p);
    return steps.add(next, actor, "deletes ", index_text(index));
  }
  if (!permanent) remove_record(next, p.record);
  rest(p);
  steps.add(next, actor, permanent ? "ends its run" : "removes the record and ends its run");
}

}  // namespace

void second_half(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  const bool reads_marks =
      model.scenario.forget != kNone || model.scenario.retire || model.scenario.unreadable != kNone;
  switch (p.step) {
    case kReadRecord: return read_record(model, state, pruner, steps);
    case kSettle: return settle(model, state, pruner, steps);
    case kPutFence: return put_fence(model, state, pruner, steps);
    case kListManifests:
      for (int name = 0; name < kNames; ++name)
        if (is_manifest(state.stored[name])) p.names |= only(name);
      if (!model.rules.kept_after_removed) p.early = state.kept;
      p.step = reads_marks ? kListRemovalMarks : kReadRecipes;
      if (!reads_marks) return read_recipes(model, next, pruner, steps);
      return steps.add(next, pruner_text(pruner), "lists manifests");
    case kListRemovalMarks: return list_removal_marks(model, state, pruner, steps);
    case kListRetiredObjects:
    case kReadRetiredObjects: return list_retired(model, state, pruner, steps);
    case kListKept: return list_kept(model, state, pruner, steps);
    case kReadRecipes: return read_recipes(model, state, pruner, steps);
    case kListAllPacks:
      p.packs = state.packs;
      p.step = model.scenario.index ? kListIndexObjects : kListCondemned;
      return steps.add(next, pruner_text(pruner), "lists packs");
    case kListIndexObjects:
      p.index = state.index;
      p.step = kListCondemned;
      return steps.add(next, pruner_text(pruner), "lists index objects");
    case kListCondemned: return verdict(model, state, pruner, steps);
    default: return delete_one(model, state, pruner, steps);
  }
}

}  // namespace drs::model
