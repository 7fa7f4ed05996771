#include "tests/model/packing.h"

#include <cstdio>
#include <cstdlib>
#include <type_traits>

namespace drs::model {
namespace {

Set used_names(const Scenario& scenario) {
  Set names = scenario.writers;
  if (scenario.snapshot) names |= only(kSnapshot);
  if (scenario.writers.has(kCopy)) names |= only(kLasting);
  return names;
}

Set used_index(const Scenario& scenario) {
  Set index;
  if (!scenario.index) return index;
  if (scenario.claims0 != kNone) index |= only(kIndex0);
  if (scenario.claims1 != kNone) index |= only(kIndex1);
  index |= only(kIndexX) | only(kIndexY);
  if (scenario.repair_index) index |= only(kIndexRepair);
  if (scenario.stores_new) index |= only(kIndexPush);
  return index;
}

// Visitors of the fields of a state: writing bits, reading bits.
struct BitWriter {
  Key& key;
  int at = 0;
  void put(unsigned value, int bits) {
    if (bits == 0) return;
    if (value >> bits != 0) {
      std::fprintf(stderr, "a field of %d bits cannot hold %u\n", bits, value);
      std::abort();
    }
    if ((at & 31) + bits > 32) at = (at | 31) + 1;
    if ((at >> 5) >= kWordsMax) std::abort();
    key[static_cast<std::size_t>(at >> 5)] |= value << (at & 31);
    at += bits;
  }
  template <class T>
  void plain(const T& value, int bits) {
    put(static_cast<unsigned>(value), bits);
  }
  template <class Squeeze>
  void set(const Set& value, const Squeeze& squeeze) {
    put(squeeze.narrow[value.bits()].bits(), squeeze.bits);
  }
};

struct BitReader {
  const std::uint32_t* words;
  int at = 0;
  unsigned get(int bits) {
    if ((at & 31) + bits > 32) at = (at | 31) + 1;
    const unsigned value = words[at >> 5] >> (at & 31) & ((1u << bits) - 1);
    at += bits;
    return value;
  }
  template <class T>
  void plain(T& value, int bits) {
    if (bits != 0) value = static_cast<T>(get(bits));
  }
  template <class Squeeze>
  void set(Set& value, const Squeeze& squeeze) {
    if (squeeze.bits != 0) value = squeeze.wide[get(squeeze.bits)];
  }
};

}  // namespace

Packing::Squeeze::Squeeze(Set used) : bits(used.count()) {
  for (unsigned value = 0; value < 256; ++value) {
    unsigned narrow_value = 0;
    for (int number = 0, place = 0; number < 8; ++number) {
      if (!used.has(number)) continue;
      if (Set::of(value).has(number)) narrow_value |= 1U << place;
      ++place;
    }
    narrow[value] = Set::of(narrow_value);
    if ((Set::of(value) - used).empty()) wide[narrow_value] = Set::of(value);
  }
}

Packing::Packing(const Scenario& scenario)
    : scenario_(scenario),
      initial_(initial(scenario)),
      packs_(used_packs(scenario)),
      names_(used_names(scenario)),
      index_(used_index(scenario)),
      blocks_(Set::of(3)),
      records_(Set::of(3)),
      numbers_(Set::of((1U << kRetiredMax) - 1)),
      writer_records_(scenario.retire ? numbers_ : records_),
      unreadable_(kEvery) {
  Key key{};
  BitWriter writer{key};
  const State state = initial_;
  visit(state, writer);
  words_ = (writer.at + 31) / 32;
}

Key Packing::pack(const State& state) const {
  Key key{};
  BitWriter writer{key};
  visit(state, writer);
  return key;
}

State Packing::unpack(const std::uint32_t* words) const {
  State state = initial_;
  BitReader reader{words};
  visit(state, reader);
  return state;
}

// All fields that may differ from those of the initial state.
template <class AnyState, class Field>
void Packing::visit(AnyState& state, Field& field) const {
  visit_store(state, field);
  visit_actors(state, field);
}

template <class AnyState, class Field>
void Packing::visit_store(AnyState& state, Field& field) const {
  const Scenario& s = scenario_;
  const bool forgets = s.forget != kNone || s.retire;
  field.set(state.packs, packs_);
  if (s.damage) field.set(state.damaged, packs_);
  for (const int pack : {kMovedX, kMovedY, kPushed, kRepaired}) {  // those whose block is not fixed
    auto holds1 = static_cast<std::uint8_t>(state.content.has(pack));
    field.plain(holds1, packs_.uses(pack) ? 1 : 0);
    if constexpr (!std::is_const_v<AnyState>) {
      state.content = (state.content - only(pack)) | (holds1 != 0 ? only(pack) : kNone);
    }
  }
  field.set(state.index, index_);
  for (const int index : {kIndexX, kIndexY, kIndexRepair}) {
    if (s.index && index_.uses(index)) field.set(state.claims[index], packs_);
  }
  field.set(state.records, records_);
  field.set(state.records_removed, records_);
  for (int record = 0; record < kPruners; ++record) {
    field.set(state.condemned[record], packs_);
    field.set(state.condemned_index[record], index_);
    if (s.unreadable != kNone) field.set(state.older[record], packs_);
    field.set(state.waits_for[record], names_);
  }
  field.set(state.waits, records_);
  if (s.unreadable != kNone) field.set(state.unreadable, unreadable_);
  field.set(state.sessions, names_);
  for (int name = 0; name < kNames; ++name) field.plain(state.stored[name], names_.uses(name) ? 2 : 0);
  if (forgets) field.set(state.removed, names_);
  if (forgets) field.set(state.aged, names_);
  if (s.retire) {
    field.set(state.retired, numbers_);
    field.set(state.retired_used, numbers_);
    if (s.late_delete) field.set(state.retired_deleted, numbers_);
    for (auto& names : state.retires) field.set(names, names_);
  }
  field.plain(state.kept, s.hold ? 1 : 0);
  field.plain(state.held, s.hold ? 1 : 0);
  field.plain(state.late_manifest, s.lost_answer ? 2 : 0);
  field.plain(state.late_pack_used, s.late_pack ? 1 : 0);
  field.plain(state.late_delete_used, s.late_delete ? 1 : 0);
  field.set(state.reported, names_);
  if (s.damage) field.set(state.after_damage, names_);
  field.plain(state.alarm, s.reader ? 1 : 0);
  field.plain(state.misled, s.reader ? 1 : 0);
}

template <class AnyState, class Field>
void Packing::visit_actors(AnyState& state, Field& field) const {
  const Scenario& s = scenario_;
  for (int name = 0; name < kNames; ++name) {
    if (!s.writers.has(name)) continue;
    auto& writer = state.writers[name];
    field.plain(writer.step, 4);
    field.set(writer.records, writer_records_);
    field.set(writer.packs, packs_);
    field.plain(writer.block, 1);
    field.plain(writer.saw_damage, s.damage ? 1 : 0);
  }
  for (int pruner = 0; pruner < kPruners; ++pruner) {
    auto& p = state.pruners[pruner];
    if ((pruner == 0 ? s.runs_x : s.runs_y) == 0) continue;
    field.plain(p.step, 5);
    field.plain(p.runs, 3);
    field.plain(p.record, 1);
    field.set(p.names, names_);
    if (s.forget != kNone || s.retire) field.set(p.removed, names_);
    field.set(p.packs, packs_);
    field.set(p.index, index_);
    if (s.retire) field.set(p.numbers, numbers_);
    field.set(p.blocks, blocks_);
    field.plain(p.early, s.hold ? 1 : 0);
  }
  if (s.reader) {
    field.plain(state.reader.step, 4);
    field.plain(state.reader.name, 3);
    field.set(state.reader.names, names_);
    field.set(state.reader.dead, names_);
    field.set(state.reader.packs, packs_);
    field.set(state.reader.index, index_);
    if (s.retire) field.set(state.reader.numbers, numbers_);
  }
  if (s.repair_index) {
    field.plain(state.index_repair.step, 4);
    field.set(state.index_repair.index, index_);
    field.set(state.index_repair.packs, packs_);
    field.set(state.index_repair.covered, packs_);
  }
  for (int repairer = 0; repairer < s.repair_packs; ++repairer) {
    field.plain(state.pack_repairs[repairer].step, 4);
    field.set(state.pack_repairs[repairer].packs, packs_);
    if (s.repair_condemns) field.set(state.pack_repairs[repairer].names, names_);
  }
  field.plain(state.hold_step, s.hold ? 2 : 0);
}

}  // namespace drs::model
