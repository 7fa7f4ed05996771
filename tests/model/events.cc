// What users do, and what happens without anyone doing it: damage, delayed requests, the age of marks, and the removal
// of session objects by some prune.
#include "tests/model/steps.h"
#include "tests/model/writers.h"

namespace drs::model {
namespace {

constexpr Numbered<const char*, kPacks> kPackTexts = {"P0", "P1", "P2", "NX", "NY", "NC", "PA", "PR"};
constexpr Numbered<const char*, kNames> kNameTexts = {
    "the snapshot", "push A", "push B", "resume", "copy", "unforget", "the lasting session"};
constexpr Numbered<const char*, kIndexes> kIndexTexts = {"I0", "I1", "IX", "IY", "IA", "IR"};
constexpr Numbered<const char*, kUnreadables> kUnreadableTexts = {"record X",
                                                                  "record Y",
                                                                  "waits X",
                                                                  "waits Y",
                                                                  "the snapshot's manifest",
                                                                  "the snapshot's recipe",
                                                                  "a forged removal mark",
                                                                  "session objects"};

enum HoldStep : std::uint8_t { kHoldFirst, kHoldSecond, kHoldEnded };

void forget_steps(const Model& model, const State& state, Steps& steps) {
  for (int name = 0; name < kNames; ++name) {
    const bool marked = (state.removed | all_retired(state)).has(name);
    if (!model.scenario.forget.has(name) || marked || state.stored[name] == kFence) continue;
    if (name == kSnapshot && (!is_manifest(state.stored[name]) || state.unreadable.has(kForgedMark))) continue;
    State next = state;
    next.removed |= only(name);
    if (!model.scenario.undo) next.aged |= only(name);
    steps.add(next, "forget ", "marks as removed: ", name_text(name));
  }
}

// A hold can be relied on only if the snapshot is not removed, or not long ago, when its record is durable.
bool may_hold(const State& state) {
  return is_manifest(state.stored[kSnapshot]) && !state.aged.has(kSnapshot) && !all_retired(state).has(kSnapshot);
}

void hold_steps(const Model& model, const State& state, Steps& steps) {
  State next = state;
  const bool after = model.rules.hold_checks_after;
  if (state.hold_step == kHoldFirst) {
    if (!after && !may_hold(state)) return;
    if (after) next.kept = true;
    next.hold_step = kHoldSecond;
    return steps.add(next, "hold ", after ? "puts its record" : "finds the snapshot not removed");
  }
  if (state.hold_step != kHoldSecond) return;
  if (!after) next.kept = true;
  next.held = !after || may_hold(state);
  next.hold_step = kHoldEnded;
  steps.add(next, "hold ",
            !after      ? "puts its record: success"
            : next.held ? "finds the snapshot not removed: success"
                        : "is refused");
}

void delayed_steps(const Model& model, const State& state, Steps& steps) {
  if (state.late_manifest != kAbsent) {
    State next = state;
    if (next.stored[kPushA] == kAbsent) store_manifest(next, kPushA, state.late_manifest);
    next.late_manifest = kAbsent;
    steps.add(next, "", "the delayed manifest of push A arrives");
  }
  if (model.scenario.late_pack && !state.late_pack_used) {
    State next = state;
    next.late_pack_used = true;
    next.packs |= only(kP2);
    if (!state.packs.has(kP2))
      for (Set& older : next.older) older -= only(kP2);
    steps.add(next, "", "a delayed put of P2 arrives");
  }
  const bool renamed = model.rules.session_names_fresh;
  if (model.scenario.late_delete && !renamed && !state.late_delete_used && state.sessions.has(kResume)) {
    State next = state;
    next.late_delete_used = true;
    next.sessions -= only(kResume);
    steps.add(next, "", "a delayed delete of an earlier session object arrives, which had the same name");
  }
  const Set again = state.retired_deleted & state.retired;
  if (again != kNone && !state.late_delete_used) {
    State next = state;
    next.late_delete_used = true;
    for (int number = 0; number < kRetiredMax; ++number)
      if (again.has(number)) next.retires[number] = kNone;
    next.retired -= again;
    steps.add(next, "", "a delayed delete of an earlier retired object arrives, which had the same name");
  }
}

void damage_steps(const Model& model, const State& state, Steps& steps) {
  if (model.scenario.damage && state.packs.has(kP1) && state.damaged == kNone) {
    State next = state;
    next.damaged = only(kP1);
    steps.add(next, "", "P1 becomes damaged, and is marked");
  }
  for (int what = 0; what < kUnreadables; ++what) {
    if (!model.scenario.unreadable.has(what)) continue;
    State next = state;
    if (state.unreadable.has(what)) {
      next.unreadable -= only(what);
      steps.add(next, "", "can be read again: ", kUnreadableTexts[what]);
      continue;
    }
    const bool there = what <= kRecordY ? state.records.has(what) : what > kWaitsY || state.waits.has(what - kWaitsX);
    if (!there || (what == kForgedMark && state.removed.has(kSnapshot))) continue;
    next.unreadable |= only(what);
    steps.add(next, "", "cannot be read any more: ", kUnreadableTexts[what]);
  }
}

void age_steps(const Model& model, const State& state, Steps& steps) {
  if (!model.scenario.undo) return;
  for (int name = 0; name < kNames; ++name) {
    const bool mark = state.removed.has(name);
    if (state.aged.has(name) || !(mark || (model.scenario.retire && state.stored[name] == kFence))) continue;
    State next = state;
    next.aged |= only(name);
    steps.add(next, "",
              mark ? "the undo time passes since the removal of " : "the undo time passes since the fence of ",
              name_text(name));
  }
}

void clean_steps(const Model& model, const State& state, Steps& steps) {
  for (int name = 0; name < kNames; ++name) {
    if (!state.sessions.has(name)) continue;
    const bool settled = state.stored[name] != kAbsent || all_retired(state).has(name);
    if (!settled && model.rules.cleans_only_settled) continue;
    State next = state;
    next.sessions -= only(name);
    steps.add(next, "housekeeping ", "removes the session object of ", name_text(name));
  }
}

}  // namespace

const char* pack_text(int pack) {
  return kPackTexts[pack];
}
const char* name_text(int name) {
  return kNameTexts[name];
}
const char* index_text(int index) {
  return kIndexTexts[index];
}
const char* pruner_text(int pruner) {
  return pruner == 0 ? "prune X " : "prune Y ";
}

void user_steps(const Model& model, const State& state, Steps& steps) {
  forget_steps(model, state, steps);
  if (model.scenario.hold) hold_steps(model, state, steps);
}

void event_steps(const Model& model, const State& state, Steps& steps) {
  delayed_steps(model, state, steps);
  damage_steps(model, state, steps);
  age_steps(model, state, steps);
  clean_steps(model, state, steps);
}

int actor_count() {
  return 12;
}

bool records_are_fixed(const Model& model) {
  return model.rules.records_permanent && model.scenario.unreadable == kNone;
}

void all_steps(const Model& model, const State& state, unsigned asleep, Steps& steps) {
  const Scenario& scenario = model.scenario;
  const auto awake = [&](int actor) { return (asleep >> actor & 1) == 0; };
  if (scenario.writers.has(kPushA) && awake(0)) push_steps(model, state, kPushA, steps);
  if (scenario.writers.has(kPushB) && awake(1)) push_steps(model, state, kPushB, steps);
  if (scenario.writers.has(kResume) && awake(2)) resume_steps(model, state, steps);
  if (scenario.writers.has(kCopy) && awake(3)) copy_steps(model, state, steps);
  if (scenario.writers.has(kUnforget) && awake(4)) unforget_steps(model, state, steps);
  for (int pruner = 0; pruner < kPruners; ++pruner)
    if (awake(5 + pruner)) pruner_steps(model, state, pruner, steps);
  if (scenario.reader && awake(7)) reader_steps(model, state, steps);
  if (scenario.repair_index && awake(8)) index_repair_steps(model, state, steps);
  for (int repairer = 0; repairer < scenario.repair_packs; ++repairer)
    if (awake(9 + repairer)) pack_repair_steps(model, state, repairer, steps);
  if (awake(11)) user_steps(model, state, steps);
  event_steps(model, state, steps);
}

}  // namespace drs::model
