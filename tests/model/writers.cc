// Pushes, resume and unforget: docs/DESIGN.md "Write order".
#include "tests/model/writers.h"

namespace drs::model {

void end_writer(State& state, int name) {
  state.writers[name] = {};
  state.writers[name].step = kEnded;
}

namespace {

constexpr Numbered<const char*, kNames> kActors = {"snapshot ", "push A ",   "push B ", "resume ",
                                                   "copy ",     "unforget ", "copy "};

bool is_wanted(const Scenario& scenario, int name, int block) {
  if (name == kResume) return block == 1;
  if (name == kUnforget) return block == scenario.snapshot_block;
  return scenario.blocks.has(block);
}

// Uses packs for one of the blocks that its stream may have, or ends.
void decide(const Model& model, const State& state, int name, Steps& steps) {
  const Writer& writer = state.writers[name];
  const char* const actor = kActors[name];
  for (int block = 0; block < 2; ++block) {
    if (!is_wanted(model.scenario, name, block)) continue;
    const bool found = (writer.packs & packs_with(state, block)) != kNone;
    const bool stores = !found && name == kPushA && model.scenario.stores_new && !state.packs.has(kPushed) &&
                        !all_condemned(state).has(kPushed);
    if (!found && !stores) continue;
    State next = state;
    Writer& after = next.writers[name];
    after.packs = after.records = kNone;
    after.block = static_cast<std::uint8_t>(block);
    after.step = found ? kPutManifest : kPutPack;
    steps.add(next, actor,
              found ? "lists packs and finds all blocks of its stream" : "lists packs and has to store its block",
              block == 0 ? " (block 0)" : " (block 1)");
  }
  State next = state;
  next.sessions -= only(name);
  end_writer(next, name);
  steps.add(next, actor, "lists packs, gives up and removes its session object");
}

void put_new_pack(const Model& model, const State& state, int name, Steps& steps) {
  State next = state;
  Writer& writer = next.writers[name];
  if (writer.step == kPutPack) {
    next.packs |= only(kPushed);
    next.content = (next.content - only(kPushed)) | (writer.block == 1 ? only(kPushed) : kNone);
    writer.step = model.scenario.index ? kPutIndex : kPutManifest;
    steps.add(next, kActors[name], "puts the new pack PA");
  } else {
    next.index |= only(kIndexPush);
    writer.step = kPutManifest;
    steps.add(next, kActors[name], "puts an index object for PA");
  }
}

void commit(const Model& model, const State& state, int name, Steps& steps) {
  const Writer& writer = state.writers[name];
  State next = state;
  if (state.stored[name] != kAbsent) {  // a fence: no snapshot
    next.sessions -= only(name);
    end_writer(next, name);
    steps.add(next, kActors[name], "finds its manifest's name fenced");
    return;
  }
  store_manifest(next, name, writer.block == 0 ? kBlock0 : kBlock1);
  next.writers[name].step = kCheckRemoved;
  next.writers[name].packs = kNone;
  if (model.scenario.retire || model.scenario.forget.has(name)) {
    steps.add(next, kActors[name], "puts its manifest");
  } else {  // no mark can name it; its session is settled
    State committed = next;
    committed.reported |= only(name);
    committed.sessions -= only(name);
    end_writer(committed, name);
    steps.add(committed, kActors[name], "puts its manifest: success");
  }
  if (!model.scenario.lost_answer || name != kPushA) return;
  next.late_manifest = next.stored[name];  // the request may arrive again, after any time
  next.writers[name].step = kInDoubt;
  steps.add(next, kActors[name], "puts its manifest, but the answer is lost");
  next.stored[name] = kAbsent;
  steps.add(next, kActors[name], "puts its manifest: the request is delayed and times out");
}

void leave_in_doubt(const Model& model, const State& state, int name, Steps& steps) {
  State next = state;
  if (!model.rules.keeps_doubtful_session) next.sessions -= only(name);
  end_writer(next, name);
  steps.add(next, kActors[name],
            model.rules.keeps_doubtful_session ? "ends; the outcome is unknown"
                                               : "ends and removes its session object; the outcome is unknown");
}

}  // namespace

void store_manifest(State& state, int name, std::uint8_t holding) {
  state.stored[name] = holding;
  if (state.writers[name].saw_damage) state.after_damage |= only(name);
}

// Reads `removed` and `retired` behind the manifest; a manifest that they name is no snapshot.
void check_commit(const Model& model, const State& state, int name, Steps& steps) {
  const Writer& writer = state.writers[name];
  State next = state;
  Writer& after = next.writers[name];
  const auto refused = [&](const char* text) {
    after.step = kRemoveSession;
    after.records = kNone;
    steps.add(next, kActors[name], text);
  };
  const auto succeeded = [&](const char* text) {
    next.reported |= only(name);
    refused(text);
  };
  const bool reads_retired = model.scenario.retire && model.rules.commit_reads_retired;
  switch (writer.step) {
    case kCheckRemoved:
      if (state.removed.has(name)) return refused("finds its manifest marked as removed");
      if (!reads_retired) return succeeded("finds no removal mark: success");
      after.step = kListRetired;
      return steps.add(next, kActors[name], "finds no removal mark");
    case kListRetired:
      after.records = state.retired;
      after.step = kReadRetired;
      return steps.add(next, kActors[name], "lists retired");
    default: break;
  }
  Set names;
  for (int number = 0; number < kRetiredMax; ++number)
    if ((writer.records & state.retired).has(number)) names |= state.retires[number];
  if (!(writer.records - state.retired).empty() && model.rules.vanished_retired_again) {
    after.records = kNone;
    after.step = kListRetired;
    return steps.add(next, kActors[name], "misses a retired object that it has listed");
  }
  if (names.has(name)) return refused("finds its session retired: no snapshot");
  succeeded("finds its session not retired: success");
}

// List the condemned records, read them, list packs and damage marks. Returns false if the writer is at another step.
bool list_steps(const Model& model, const State& state, int name, const char* actor, Steps& steps) {
  const Writer& writer = state.writers[name];
  State next = state;
  Writer& after = next.writers[name];
  switch (writer.step) {
    case kListRecords:
      after.records = state.records;
      after.step = kReadRecords;
      if (records_are_fixed(model)) return list_steps(model, next, name, actor, steps);
      steps.add(next, actor, "lists condemned");
      return true;
    case kReadRecords: {
      if (!(writer.records - state.records).empty() && model.rules.reads_vanished_again) {
        after.records = after.packs = kNone;
        after.step = kListRecords;
        steps.add(next, actor, "misses a record that it has listed");
        return true;
      }
      Set condemned = distrusted(model, state, writer.records);
      if (!model.rules.passes_over_condemned) condemned = kNone;
      after.records = kNone;
      after.packs = condemned;
      after.step = kListPacks;
      steps.add(next, actor, records_are_fixed(model) ? "lists condemned and reads the records" : "reads the records");
      return true;
    }
    case kListPacks:
      after.packs = state.packs - (state.damaged | writer.packs);
      if (!model.rules.claims_checked) after.packs |= claimed_packs(state) - writer.packs;
      after.saw_damage = state.damaged != kNone;
      decide(model, next, name, steps);
      return true;
    default: return false;
  }
}

void remove_session(const State& state, int name, Steps& steps) {
  State next = state;
  next.sessions -= only(name);
  end_writer(next, name);
  steps.add(next, kActors[name], "removes its session object");
}

void push_steps(const Model& model, const State& state, int name, Steps& steps) {
  const Writer& writer = state.writers[name];
  if (list_steps(model, state, name, kActors[name], steps)) return;
  switch (writer.step) {
    case 0: {
      State next = state;
      next.sessions |= only(name);
      next.writers[name].step = kListRecords;
      return steps.add(next, kActors[name], "puts its session object");
    }
    case kPutPack:
    case kPutIndex: return put_new_pack(model, state, name, steps);
    case kPutManifest: return commit(model, state, name, steps);
    case kCheckRemoved:
    case kListRetired:
    case kReadRetired: return check_commit(model, state, name, steps);
    case kRemoveSession: return remove_session(state, name, steps);
    case kInDoubt: return leave_in_doubt(model, state, name, steps);
    default: return;
  }
}

void resume_steps(const Model& model, const State& state, Steps& steps) {
  if (state.writers[kResume].step != 0) return push_steps(model, state, kResume, steps);
  State next = state;
  if (model.rules.resume_has_session) next.sessions |= only(kResume);
  next.writers[kResume].step = kListRecords;
  steps.add(next, "resume ", "puts its session object");
}

void unforget_steps(const Model& model, const State& state, Steps& steps) {
  const Writer& writer = state.writers[kUnforget];
  if (writer.step == 0) {
    if (!is_manifest(state.stored[kSnapshot]) || !state.removed.has(kSnapshot)) return;
    State next = state;
    if (model.rules.unforget_has_session) next.sessions |= only(kUnforget);
    next.writers[kUnforget].step = kListRecords;
    return steps.add(next, "unforget ", "reads the forgotten manifest and puts its session object");
  }
  if (writer.step == kPutManifest && !model.rules.unforget_new_manifest) {
    State next = state;
    next.removed -= only(kSnapshot);
    next.aged -= only(kSnapshot);
    end_writer(next, kUnforget);
    return steps.add(next, "unforget ", "takes the removal mark back");
  }
  push_steps(model, state, kUnforget, steps);
}

}  // namespace drs::model
