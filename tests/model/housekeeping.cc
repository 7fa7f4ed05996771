// What a prune does besides packs: it deletes manifests that were removed longer ago than the undo time, and folds
// removal marks without a manifest, and old fences, into retired objects.
#include "tests/model/prune_steps.h"

namespace drs::model {
namespace {

void read_retired(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  p.names = kNone;
  if (!(p.numbers - state.retired).empty() && model.rules.vanished_retired_again) {
    p.numbers = kNone;
    p.step = kRetireList;
    return steps.add(next, pruner_text(pruner), "misses a retired object that it has listed");
  }
  for (int number = 0; number < kRetiredMax; ++number)
    if ((p.numbers & state.retired).has(number)) p.names |= state.retires[number];
  p.step = kRetireListManifests;
  steps.add(next, pruner_text(pruner), "reads the retired objects, to rewrite them");
}

// `removed` holds the manifests that are there, then the names to take up: `names` are those retired already.
void choose_names(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  Set marks = state.removed & state.aged;
  if (model.rules.retires_only_gone) marks -= p.removed;
  Set fences;
  for (int name = 0; name < kNames; ++name)
    if (state.stored[name] == kFence && state.aged.has(name)) fences |= only(name);
  const Set taken = marks | fences;
  if (taken.empty() && p.numbers.count() <= 1) {
    rest(p);
    return steps.add(next, pruner_text(pruner), "finds nothing to retire");
  }
  p.removed = taken;
  p.names |= taken;
  p.step = model.rules.retired_before_fence_goes ? kRetirePut : kRetireDeleteTaken;
  steps.add(next, pruner_text(pruner), "lists removal marks and old fences");
}

void put_retired(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  // With fresh names no number was ever used before, as with a random or content-derived part in the name.
  const Set used = model.rules.retired_names_fresh ? (state.retired | state.retired_used) : p.numbers;
  const int number = used.highest() + 1;
  if (number >= kRetiredMax) {
    rest(p);
    return steps.add(next, pruner_text(pruner), "stops: the model has no more numbers");
  }
  if (state.retired.has(number)) {
    p.step = kRetireList;
    p.names = p.removed = p.numbers = kNone;
    return steps.add(next, pruner_text(pruner), "finds the number of its retired object taken");
  }
  static constexpr Numbered<const char*, kRetiredMax> kTexts = {"puts retired/1", "puts retired/2", "puts retired/3",
                                                                "puts retired/4"};
  next.retired |= only(number);
  next.retired_used |= only(number);
  next.retires[number] = p.names;
  p.names = kNone;
  if (!model.rules.deletes_only_read_retired) p.numbers = Set::of((1U << number) - 1);
  p.step = model.rules.retired_before_fence_goes ? kRetireDeleteTaken : kRetireDeleteOlder;
  steps.add(next, pruner_text(pruner), kTexts[number]);
}

void delete_taken(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  if (p.removed == kNone) {
    p.step = model.rules.retired_before_fence_goes ? kRetireDeleteOlder : kRetirePut;
    return steps.add(next, pruner_text(pruner), "has deleted what it has taken up");
  }
  const int name = p.removed.lowest();
  p.removed -= only(name);
  const bool mark = state.removed.has(name);
  if (mark)
    next.removed -= only(name);
  else
    next.stored[name] = kAbsent;
  next.aged -= only(name);
  steps.add(next, pruner_text(pruner), mark ? "deletes the removal mark of " : "deletes the fence of ",
            name_text(name));
}

void delete_older(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  if (p.numbers == kNone) {
    rest(p);
    return steps.add(next, pruner_text(pruner), "ends its housekeeping");
  }
  static constexpr Numbered<const char*, kRetiredMax> kTexts = {"deletes retired/1", "deletes retired/2",
                                                                "deletes retired/3", "deletes retired/4"};
  const int number = p.numbers.lowest();
  p.numbers -= only(number);
  next.retired -= only(number);
  next.retires[number] = kNone;
  if (model.scenario.late_delete) next.retired_deleted |= only(number);
  steps.add(next, pruner_text(pruner), kTexts[number]);
}

// Deletes the snapshot's manifest object, if it was removed longer ago than the undo time and nothing holds it.
void drop_manifest(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  switch (p.step) {
    case kDropListMarks:
      p.removed = state.removed & state.aged & only(kSnapshot);
      if (p.removed != kNone)
        p.step = model.scenario.hold && model.rules.keeps_held_manifest ? kDropListKept : kDropDelete;
      else
        rest(p);
      return steps.add(next, pruner_text(pruner), "lists removal marks, to delete old manifests");
    case kDropListKept:
      p.step = kDropDelete;
      if (state.kept) rest(p);
      return steps.add(next, pruner_text(pruner), "lists holds");
    default:
      next.stored[kSnapshot] = kAbsent;
      rest(p);
      return steps.add(next, pruner_text(pruner), "deletes the manifest of ", name_text(kSnapshot));
  }
}

}  // namespace

void begin_housekeeping(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  --p.runs;
  if (model.scenario.retire) {
    p.step = kRetireList;
    steps.add(next, pruner_text(pruner), "begins to retire names");
  }
  if (model.scenario.undo && model.scenario.forget.has(kSnapshot)) {
    p.step = kDropListMarks;
    steps.add(next, pruner_text(pruner), "begins to delete old manifests");
  }
}

void housekeeping(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  switch (p.step) {
    case kRetireList:
      p.numbers = state.retired;
      p.step = kRetireRead;
      return steps.add(next, pruner_text(pruner), "lists retired, to rewrite it");
    case kRetireRead: return read_retired(model, state, pruner, steps);
    case kRetireListManifests:
      for (int name = 0; name < kNames; ++name)
        if (is_manifest(state.stored[name])) p.removed |= only(name);
      p.step = kRetireListMarks;
      return steps.add(next, pruner_text(pruner), "lists manifests, to retire names");
    case kRetireListMarks: return choose_names(model, state, pruner, steps);
    case kRetirePut: return put_retired(model, state, pruner, steps);
    case kRetireDeleteTaken: return delete_taken(model, state, pruner, steps);
    case kRetireDeleteOlder: return delete_older(model, state, pruner, steps);
    default: return drop_manifest(model, state, pruner, steps);
  }
}

}  // namespace drs::model
