// `repair index` as landed (engine/repository/repair_index.h), and `repair packs` as decided.
#include "tests/model/steps.h"

namespace drs::model {
namespace {

enum IndexRepairStep : std::uint8_t { kListIndex, kListPacks, kPutIndex, kFindSuperseded, kDeleteIndex };
enum PackRepairStep : std::uint8_t {
  kListCondemned,
  kListAllPacks,
  kPutPack,
  kPutAgain,
  kReplace,
  kCondemnPack,
  kListPackSessions,
  kPutPackWaits,
  kPackRepairEnded = 15
};
constexpr int kRepairRecord = 1;  // the record of Y, which does not run where a repair condemns
constexpr std::uint8_t kRepairEnded = 15;
constexpr const char* kIndexActor = "repair index ";

// The packs that the listed index objects claim; with `intact`, only index objects without claims on missing packs.
Set claims_of(const State& state, Set listed, Set packs, bool intact) {
  Set claims;
  for (int index = 0; index < kIndexes; ++index)
    if (listed.has(index) && (!intact || (state.claims[index] - packs).empty())) claims |= state.claims[index];
  return claims;
}

void put_index(const Model& model, const State& state, Steps& steps) {
  State next = state;
  IndexRepair& r = next.index_repair;
  if (!(r.index - state.index).empty()) {
    r = {};
    return steps.add(next, kIndexActor, "misses an index object that it has listed, and lists again");
  }
  r.covered = model.scenario.repair_all ? kNone : claims_of(state, r.index, r.packs, true);
  // Packs that have vanished are passed over; a table that cannot be read adds nothing.
  const Set read = (r.packs & state.packs) - (r.covered | model.scenario.tables_lost);
  if (read != kNone) {
    next.index |= only(kIndexRepair);
    next.claims[kIndexRepair] = read;
  }
  r.step = kFindSuperseded;
  r.covered = kNone;
  steps.add(next, kIndexActor, "puts an index object of the packs that none names");
}

// Of the index objects that it has listed, those that are stale, or all, may go.
void find_superseded(const Model& model, const State& state, Steps& steps) {
  State next = state;
  IndexRepair& r = next.index_repair;
  Set superseded;
  for (int index = 0; index < kIndexes; ++index) {
    if (!r.index.has(index)) continue;
    const Set claims = state.claims[index];
    const bool stale = !(claims - r.packs).empty();
    // An index object that a running session may have put stays.
    const bool running = index == kIndexPush && state.sessions.has(kPushA);
    if (running || (!stale && !model.scenario.repair_all)) continue;
    bool only_list = (claims & model.scenario.tables_lost) != kNone;
    for (int pack = 0; pack < kPacks; ++pack) {
      if (!(claims - r.packs).has(pack)) continue;
      const int block = state.content.has(pack) ? 1 : 0;
      if ((r.packs & packs_with(state, block)) == kNone) only_list = true;  // the block lies in no pack any more
    }
    if (!only_list || !model.rules.repair_keeps_only_list) superseded |= only(index);
  }
  r.index = superseded;
  r.packs = kNone;
  r.step = kDeleteIndex;
  steps.add(next, kIndexActor, "finds the index objects that may go");
}

void delete_index(const State& state, Steps& steps) {
  State next = state;
  IndexRepair& r = next.index_repair;
  for (int index = 0; index < kIndexes; ++index) {
    if (!r.index.has(index)) continue;
    r.index -= only(index);
    next.index -= only(index);
    return steps.add(next, kIndexActor, "deletes ", index_text(index));
  }
  r = {};
  r.step = kRepairEnded;
  steps.add(next, kIndexActor, "ends");
}

constexpr Numbered<const char*, kRepairers> kPackActors = {"repair packs K ", "repair packs L "};

// The packs that are condemned are in `packs` before packs are listed; then the pack that it works on.
void choose_pack(const Model& model, const State& state, int repairer, Steps& steps) {
  const PackRepair& repair = state.pack_repairs[repairer];
  const Set condemned = model.rules.repair_reads_records ? repair.packs : kNone;
  State next = state;
  PackRepair& r = next.pack_repairs[repairer];
  r.packs = kNone;
  const bool damaged = state.damaged.has(kP1);
  const bool missing = model.scenario.packs.has(kP2) && !state.packs.has(kP2) && !condemned.has(kP2);
  if (damaged) {
    r.step = model.rules.repair_never_replaces ? kPutPack : kReplace;
    r.packs = only(kP1);
    steps.add(next, kPackActors[repairer], "finds P1 damaged");
  }
  if (missing) {
    // Where the other repository has the block, but not the pack, its name is condemned like that of a damaged pack.
    r.step = model.scenario.repair_condemns ? kPutPack : kPutAgain;
    r.packs = only(kP2);
    steps.add(next, kPackActors[repairer], "misses P2, which no record names");
  }
  r.step = kPackRepairEnded;
  steps.add(next, kPackActors[repairer], "ends");
}

// The block of the damaged or missing pack, from elsewhere. Without a record of this repair, a prune condemns the pack
// like any other.
void put_repaired(const Model& model, const State& state, int repairer, Steps& steps) {
  State next = state;
  PackRepair& r = next.pack_repairs[repairer];
  const Set pack = only(kRepaired);
  if (!(state.packs | all_condemned(state)).has(kRepaired)) {
    next.packs |= pack;
    next.content = (next.content - pack) | (r.packs.has(kP2) ? pack : kNone);
  }
  const bool condemns = model.scenario.repair_condemns && repairer == 0 && !state.records.has(kRepairRecord);
  r.step = condemns ? kCondemnPack : kPackRepairEnded;
  if (!condemns) r.packs = kNone;
  if (condemns && !model.rules.repair_waits_after_record) {
    next.waits |= only(kRepairRecord);
    next.waits_for[kRepairRecord] = state.sessions;
  }
  steps.add(next, kPackActors[repairer],
            r.packs.has(kP2) ? "puts block 1 into the new pack PR" : "puts block 0 into the new pack PR");
}

// Never removed, so it is the record of a prune in all that follows.
void condemn_repaired(const Model& model, const State& state, int repairer, Steps& steps) {
  State next = state;
  PackRepair& r = next.pack_repairs[repairer];
  next.records |= only(kRepairRecord);
  next.condemned[kRepairRecord] = r.packs;
  if (model.scenario.unreadable != kNone) next.older[kRepairRecord] = state.packs;
  r.packs = kNone;
  r.step = model.rules.repair_waits_after_record ? kListPackSessions : kPackRepairEnded;
  steps.add(next, kPackActors[repairer], "condemns the damaged or missing pack");
}

}  // namespace

void index_repair_steps(const Model& model, const State& state, Steps& steps) {
  State next = state;
  IndexRepair& r = next.index_repair;
  switch (r.step) {
    case kListIndex:
      r.index = state.index;
      r.step = kListPacks;
      return steps.add(next, kIndexActor, "lists index objects");
    case kListPacks:
      r.packs = state.packs;
      r.step = kPutIndex;
      return steps.add(next, kIndexActor, "lists packs");
    case kPutIndex: return put_index(model, state, steps);
    case kFindSuperseded: return find_superseded(model, state, steps);
    case kDeleteIndex: return delete_index(state, steps);
    default: return;
  }
}

void pack_repair_steps(const Model& model, const State& state, int repairer, Steps& steps) {
  State next = state;
  PackRepair& r = next.pack_repairs[repairer];
  const char* const actor = kPackActors[repairer];
  switch (r.step) {
    case kListCondemned:
      r.packs = all_condemned(state);
      r.step = kListAllPacks;
      return steps.add(next, actor, "lists condemned");
    case kListAllPacks: return choose_pack(model, state, repairer, steps);
    case kPutPack: return put_repaired(model, state, repairer, steps);
    case kReplace:
      next.packs -= only(kP1);
      next.damaged -= only(kP1);
      r.step = kPutAgain;
      return steps.add(next, actor, "deletes the damaged P1");
    case kPutAgain:
      next.packs |= r.packs;
      r.packs = kNone;
      r.step = kPackRepairEnded;
      return steps.add(next, actor, "puts the pack again under its name");
    case kCondemnPack: return condemn_repaired(model, state, repairer, steps);
    case kListPackSessions:
      r.names = state.sessions;
      r.step = kPutPackWaits;
      return steps.add(next, actor, "lists sessions");
    case kPutPackWaits:
      if (!state.waits.has(kRepairRecord)) {
        next.waits |= only(kRepairRecord);
        next.waits_for[kRepairRecord] = r.names;
      }
      r.names = kNone;
      r.step = kPackRepairEnded;
      return steps.add(next, actor, "puts the waits of its record");
    default: return;
  }
}

}  // namespace drs::model
