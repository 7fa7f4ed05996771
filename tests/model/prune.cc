#include "tests/model/prune_steps.h"

namespace drs::model {

void rest(Pruner& pruner) {
  const std::uint8_t runs = pruner.runs;
  pruner = {};
  pruner.runs = runs;
}

bool may_move(const State& state, int pruner) {
  return !(state.packs | all_condemned(state)).has(moved_pack(pruner));
}

void put_moved(State& state, int pruner, int block) {
  const Set pack = only(moved_pack(pruner));
  state.packs |= pack;
  state.content = (state.content - pack) | (block == 1 ? pack : kNone);
}

namespace {

// A prune lists packs before it puts the record. One that has vanished since would make no difference: it is condemned.
void put_record(const Model& model, const State& state, int pruner, const char* what, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  next.records |= only(pruner);
  next.condemned[pruner] = p.packs;
  next.condemned_index[pruner] = p.index;
  if (model.scenario.unreadable != kNone) next.older[pruner] = state.packs;
  if (model.rules.waits_after_record) {
    p.step = kListSessions;
    p.packs = p.index = kNone;
  } else {
    next.waits |= only(pruner);
    next.waits_for[pruner] = p.names;
    rest(p);
  }
  steps.add(next, pruner_text(pruner), "condemns ", what);
}

void condemn(const Model& model, const State& state, int pruner, Set packs, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  --p.runs;
  p.packs = packs;
  p.record = static_cast<std::uint8_t>(pruner);
  const char* const what = packs.count() == 1 ? pack_text(packs.lowest()) : "all packs";
  if (model.rules.waits_after_record) return put_record(model, next, pruner, what, steps);
  p.step = kListSessionsFirst;
  steps.add(next, pruner_text(pruner), "chooses to condemn ", what);
}

void condemn_index(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  --p.runs;
  p.record = static_cast<std::uint8_t>(pruner);
  if (!(state.index | all_condemned_index(state)).has(merged_index(pruner))) {
    p.step = kListIndexToMerge;
    steps.add(next, pruner_text(pruner), "begins to merge index objects");
  }
  for (int index = 0; index < kIndexes; ++index) {
    if (!state.index.has(index) || !model.rules.index_verdict) continue;
    p.index = only(index);
    put_record(model, next, pruner, index_text(index), steps);
  }
}

Set listed_sessions(const Model& model, const State& state) {
  const bool ignored = state.unreadable.has(kSessions) && !model.rules.unreadable_session_counts;
  return ignored ? kNone : state.sessions;
}

void put_waits(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  if (!state.waits.has(p.record)) {
    next.waits |= only(p.record);
    next.waits_for[p.record] = p.names;
  }
  const int record = p.record;
  rest(p);
  if (model.scenario.exclusive && pruner == 0) {
    p.record = static_cast<std::uint8_t>(record);
    p.step = kReadRecord;  // in the same run
  }
  steps.add(next, pruner_text(pruner), "puts the waits of record ", record == 0 ? "X" : "Y");
}

void merge_index(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  if (p.step == kListIndexToMerge) {
    p.index = state.index - all_condemned_index(state);
    if (!model.rules.new_index_first)
      return put_record(model, next, pruner, "the index objects that it will merge", steps);
    p.step = kPutMergedIndex;
    return steps.add(next, pruner_text(pruner), "lists index objects to merge");
  }
  if (!(p.index - state.index).empty()) {
    rest(p);
    return steps.add(next, pruner_text(pruner), "misses an index object that it has listed, and ends");
  }
  Set claims;
  for (int index = 0; index < kIndexes; ++index)
    if (p.index.has(index)) claims |= state.claims[index];
  next.index |= only(merged_index(pruner));
  next.claims[merged_index(pruner)] = claims;
  p.step = kPutRecord;
  steps.add(next, pruner_text(pruner), "puts a merged index object");
}

// Between runs.
void begin_run(const Model& model, const State& state, int pruner, Steps& steps) {
  if (state.pruners[pruner].runs == 0) return;
  if (!(state.records | state.records_removed).has(pruner)) begin_first_half(model, state, pruner, steps);
  for (int record = 0; record < kPruners; ++record) {
    const bool finished =
        ((state.condemned[record] & state.packs).empty() && (state.condemned_index[record] & state.index).empty());
    if (!state.records.has(record) || (finished && model.rules.records_permanent)) continue;
    State next = state;
    Pruner& p = next.pruners[pruner];
    --p.runs;
    p.record = static_cast<std::uint8_t>(record);
    p.step = kReadRecord;
    second_half(model, next, pruner, steps);
  }
  begin_housekeeping(model, state, pruner, steps);
}

}  // namespace

void begin_first_half(const Model& model, const State& state, int pruner, Steps& steps) {
  for (int pack = 0; pack < kPacks; ++pack)
    if (state.packs.has(pack)) condemn(model, state, pruner, only(pack), steps);
  if (state.packs.count() > 1) condemn(model, state, pruner, state.packs, steps);
  if (model.scenario.index) condemn_index(model, state, pruner, steps);
  if (!model.scenario.moves || !may_move(state, pruner)) return;
  for (int block = 0; block < 2; ++block) {
    if (((state.packs - state.damaged) & packs_with(state, block)) == kNone) continue;
    State next = state;
    put_moved(next, pruner, block);
    steps.add(next, pruner_text(pruner), block == 0 ? "moves block 0 into " : "moves block 1 into ",
              pack_text(moved_pack(pruner)));
  }
}

void first_half(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  switch (p.step) {
    case kListIndexToMerge:
    case kPutMergedIndex: return merge_index(model, state, pruner, steps);
    case kListSessionsFirst:
      p.names = listed_sessions(model, state);
      p.step = kPutRecord;
      return steps.add(next, pruner_text(pruner), "lists sessions, before its record is there");
    case kPutRecord: return put_record(model, state, pruner, "what it has chosen", steps);
    case kListSessions:
      p.names = listed_sessions(model, state);
      p.step = kPutWaits;
      return steps.add(next, pruner_text(pruner), "lists sessions");
    default: return put_waits(model, state, pruner, steps);
  }
}

void pruner_steps(const Model& model, const State& state, int pruner, Steps& steps) {
  const std::uint8_t step = state.pruners[pruner].step;
  if (step == kIdle) return begin_run(model, state, pruner, steps);
  if (step < kReadRecord) return first_half(model, state, pruner, steps);
  if (step < kRetireList) return second_half(model, state, pruner, steps);
  housekeeping(model, state, pruner, steps);
}

}  // namespace drs::model
