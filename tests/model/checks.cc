#include "tests/model/checks.h"

#include "tests/model/prune_steps.h"

namespace drs::model {
namespace {

// Whether a restore finds the block: in an undamaged pack, unless it may have been damaged since the commit, that has a
// table or is named by an index object.
bool is_there(const Model& model, const State& state, int block, bool undamaged) {
  Set packs = state.packs & packs_with(state, block);
  if (undamaged) packs -= state.damaged;
  return !(packs - (model.scenario.tables_lost - claimed_packs(state))).empty();
}

// Whether the chunk list of a lost block is kept, so that it can be rebuilt.
bool is_healable(const State& state, int block) {
  return !(claimed_packs(state) & packs_with(state, block)).empty();
}

bool is_protected(const Model& model, const State& state, int name) {
  if (state.removed.has(name) && !state.aged.has(name) && model.scenario.undo && name == kSnapshot) return true;
  return name == kSnapshot && state.held;
}

constexpr Numbered<const char*, kNames> kLost = {"the snapshot has lost its block",
                                                 "the snapshot of push A has lost its block",
                                                 "the snapshot of push B has lost its block",
                                                 "the resumed snapshot has lost its block",
                                                 "the copied snapshot has lost its block",
                                                 "the unforgotten snapshot has lost its block",
                                                 ""};

const char* lost_block(const Model& model, const State& state, int name) {
  const int block = state.stored[name] - kBlock0;
  if (name == kSnapshot && model.scenario.packs_lost != kNone)
    return is_healable(state, block) ? nullptr : "no index object names the chunks of a lost block any more";
  return is_there(model, state, block, state.after_damage.has(name)) ? nullptr : kLost[name];
}

// Runs the second half of a record with prune X alone. Returns whether the run ends.
bool run_alone(const Model& model, State& state, int record) {
  constexpr int kStepsMax = 64;
  Steps steps;
  state.pruners[0] = {};
  state.pruners[0].step = kReadRecord;
  state.pruners[0].record = static_cast<std::uint8_t>(record);
  for (int step = 0; step < kStepsMax && state.pruners[0].step != kIdle; ++step) {
    steps.clear();
    pruner_steps(model, state, 0, steps);
    state = State(steps.all().front().next);  // it fences rather than waits
  }
  return state.pruners[0].step == kIdle;
}

// Whether nothing keeps a condemned pack. A prune of the model moves one block at most, so a pack that waits for
// another move stays.
bool may_go(const Model& model, const State& state, int pack) {
  const Set useless = state.damaged | all_condemned(state) | model.scenario.tables_lost;
  Set needing = live_names(state);
  if (state.kept || !state.aged.has(kSnapshot)) needing |= only(kSnapshot);
  const auto is_spare = [&](int block) {
    if (!((state.packs & packs_with(state, block)) - useless).empty()) return true;
    for (int name = 0; name < kNames; ++name)
      if (needing.has(name) && state.stored[name] == kBlock0 + block) return false;
    return true;
  };
  if (model.scenario.tables_lost.has(pack)) return is_spare(0) && is_spare(1);  // it may hold any
  return is_spare(state.content.has(pack) ? 1 : 0);
}

}  // namespace

const char* violation(const Model& model, const State& state) {
  if (state.alarm) return "a reader reports damage, though nothing is damaged";
  if (state.misled) return "a reader takes a manifest for live that was removed or fenced before it began";
  const Set live = live_names(state);
  for (int name = 0; name < kNames; ++name) {
    const bool due = live.has(name) || is_protected(model, state, name);
    if (due && is_manifest(state.stored[name]))
      if (const char* const lost = lost_block(model, state, name)) return lost;
    const bool disowned = state.reported.has(name) && !live.has(name) && !model.scenario.forget.has(name);
    if (disowned) return "a writer reported success, but its snapshot is not live";
  }
  if (model.scenario.snapshot && is_protected(model, state, kSnapshot) && !is_manifest(state.stored[kSnapshot]))
    return "the manifest of a snapshot is deleted, though it is held or may be unforgotten";
  return nullptr;
}

const char* never_finishes(const Model& model, const State& state) {
  const Set unreadable = state.unreadable - (only(kForgedMark) | only(kSessions));
  if (!unreadable.empty()) return nullptr;
  for (int record = 0; record < kPruners; ++record) {
    if (!state.records.has(record)) continue;
    State now = state;
    for (int run = 0; run < 3; ++run)
      if (!run_alone(model, now, record)) return "a prune does not end";
    for (int pack = 0; pack < kPacks; ++pack)
      if ((now.condemned[record] & now.packs).has(pack) && may_go(model, now, pack))
        return "a prune never deletes a condemned pack, though no writer runs";
  }
  return nullptr;
}

void canonicalize(const Model& model, State& state) {
  // A session that is settled is never looked at again.
  if (model.scenario.retire || !model.rules.fence_keeps_manifest) return;
  Set settled;
  for (int name = 0; name < kNames; ++name)
    if (state.stored[name] != kAbsent) settled |= only(name);
  const bool dropped = model.scenario.forget.has(kSnapshot) && model.scenario.undo;
  if (dropped) settled -= only(kSnapshot);
  state.sessions -= settled;
  for (Set& names : state.waits_for) names -= settled;
  // No prune needs the waits of a record whose packs and index objects are gone for good.
  const bool comes_back = model.scenario.late_pack || model.scenario.repair_packs > 0;
  for (int record = 0; record < kPruners; ++record) {
    const bool finished =
        (state.condemned[record] & state.packs).empty() && (state.condemned_index[record] & state.index).empty();
    if (finished && !comes_back && model.rules.records_permanent) state.waits_for[record] = kNone;
  }
  for (Pruner& pruner : state.pruners)
    if (pruner.step == kSettle || pruner.step == kListSessions || pruner.step == kPutWaits) pruner.names -= settled;
}

}  // namespace drs::model
