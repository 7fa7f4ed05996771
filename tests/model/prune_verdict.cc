#include "tests/model/prune_steps.h"

namespace drs::model {
namespace {

// What the verdict is made from: lists and records that were read in this run.
struct Evidence {
  const Model& model;
  const State& state;
  const Pruner& pruner;
  Set condemned;  // packs that are or may be in a record
  Set condemned_index;

  Evidence(const Model& m, const State& s, const Pruner& p) : model(m), state(s), pruner(p) {
    condemned = all_condemned(s);
    condemned_index = all_condemned_index(s);
    for (int record = 0; record < kPruners; ++record) {
      if (!s.records.has(record) || !s.unreadable.has(kRecordX + record)) continue;
      condemned -= s.condemned[record];
      if (m.rules.prune_distrusts_record) condemned |= m.rules.unreadable_stops_reuse ? kEvery : s.older[record];
    }
  }
  [[nodiscard]] bool live(int block) const { return pruner.blocks.has(block); }
  [[nodiscard]] Set own(Set listed) const { return state.condemned[pruner.record] & listed; }
};

// Packs that may justify that `pack` is deleted, since they hold its block, too. A table that cannot be read confirms
// nothing.
Set copies(const Evidence& evidence, int pack, int block) {
  Set found = evidence.pruner.packs & packs_with(evidence.state, block);
  found -= (evidence.state.damaged | evidence.model.scenario.tables_lost | only(pack));
  found -= evidence.state.condemned[evidence.pruner.record];
  return evidence.model.rules.copies_uncondemned ? (found - evidence.condemned) : found;
}

// The packs that the index objects name: all that a verdict by the index knows.
Set indexed(const Evidence& evidence) {
  Set packs;
  for (int index = 0; index < kIndexes; ++index)
    if (evidence.pruner.index.has(index)) packs |= evidence.state.claims[index];
  return packs;
}

// Whether a pack without a readable table gives nothing that is needed: index objects, or tables of packs, name every
// live block, and one that index objects list in this pack has a copy.
bool is_spare(const Evidence& evidence, int pack) {
  const Set claimed = indexed(evidence);
  const Set named = claimed | (evidence.pruner.packs - evidence.model.scenario.tables_lost);
  for (const int block : {0, 1}) {
    if (!evidence.live(block)) continue;
    const Set holders = packs_with(evidence.state, block);
    if ((named & holders) == kNone) return false;
    if ((claimed & holders).has(pack) && copies(evidence, pack, block) == kNone) return false;
  }
  return true;
}

struct PackVerdict {
  Set to_delete;
  int block_to_move = -1;
};

PackVerdict judge_packs(const Evidence& evidence) {
  PackVerdict verdict;
  const Set own = evidence.own(evidence.pruner.packs);
  const bool by_index = !evidence.model.rules.verdict_by_table;
  const Set known = by_index ? indexed(evidence) : kEvery;
  for (int pack = 0; pack < kPacks; ++pack) {
    if (!own.has(pack)) continue;
    if (!by_index && evidence.model.scenario.tables_lost.has(pack)) {  // it may hold anything
      if (!evidence.model.rules.tableless_is_spare || is_spare(evidence, pack)) verdict.to_delete |= only(pack);
      continue;
    }
    const int block = evidence.state.content.has(pack) ? 1 : 0;
    if (!known.has(pack) || !evidence.live(block) || copies(evidence, pack, block) != kNone)
      verdict.to_delete |= only(pack);
    else if (!evidence.state.damaged.has(pack))
      verdict.block_to_move = block;
  }
  return verdict;
}

// Whether another index object, which no record names, has the entries of `index` that are needed: those of packs that
// are there, and of live blocks that no pack holds.
bool is_superseded(const Evidence& evidence, int index) {
  Set others;
  for (int other = 0; other < kIndexes; ++other) {
    if (other == index || !evidence.pruner.index.has(other)) continue;
    if (evidence.model.rules.index_justified && evidence.condemned_index.has(other)) continue;
    if (evidence.state.condemned_index[evidence.pruner.record].has(other)) continue;
    others |= evidence.state.claims[other];
  }
  for (int pack = 0; pack < kPacks; ++pack) {
    if (!(evidence.state.claims[index] - others).has(pack)) continue;
    if ((evidence.pruner.packs - evidence.condemned).has(pack)) return false;
    if ((evidence.pruner.packs & evidence.model.scenario.tables_lost).has(pack)) return false;
    const int block = evidence.state.content.has(pack) ? 1 : 0;
    const Set intact = (evidence.pruner.packs & packs_with(evidence.state, block)) - evidence.state.damaged;
    if (evidence.model.rules.lost_entries_stay && evidence.live(block) && intact == kNone) return false;
  }
  return true;
}

Set judge_index(const Evidence& evidence) {
  Set to_delete;
  for (int index = 0; index < kIndexes; ++index) {
    const bool own = (evidence.state.condemned_index[evidence.pruner.record] & evidence.pruner.index).has(index);
    if (own && (!evidence.model.rules.index_verdict || is_superseded(evidence, index))) to_delete |= only(index);
  }
  return to_delete;
}

}  // namespace

void verdict(const Model& model, const State& state, int pruner, Steps& steps) {
  State next = state;
  Pruner& p = next.pruners[pruner];
  const Evidence evidence(model, state, state.pruners[pruner]);
  const PackVerdict packs = judge_packs(evidence);
  if (packs.block_to_move >= 0 && model.rules.records_permanent && may_move(state, pruner)) {
    put_moved(next, pruner, packs.block_to_move);
    p.packs |= only(moved_pack(pruner));
    return steps.add(next, pruner_text(pruner), "lists condemned, and moves a live block into ",
                     pack_text(moved_pack(pruner)));
  }
  const Set unreadable = state.unreadable & (only(kRecordX) | only(kRecordY));
  p.index = model.scenario.index && unreadable == kNone ? judge_index(evidence) : kNone;
  p.packs = packs.to_delete;
  p.blocks = kNone;
  p.step = kDelete;
  if (model.rules.records_permanent && (p.packs | p.index) == kNone) rest(p);
  steps.add(next, pruner_text(pruner), "lists condemned, and decides what to delete");
}

}  // namespace drs::model
