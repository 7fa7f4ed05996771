// A state of the model: the objects in the store, what each actor knows, and a few facts that only the checks use.
#pragma once

#include <cstdint>

#include "tests/model/scenario.h"

namespace drs::model {

// A push, resume, unforget or copy. `step` 0: not begun; kStepBeforeCommit: its next step
// puts its manifest; kEnded: over.
constexpr std::uint8_t kStepBeforeCommit = 7;
constexpr std::uint8_t kEnded = 15;
struct Writer {
  std::uint8_t step = 0;
  Set records;             // listed under condemned/, or numbers of retired objects
  Set packs;               // condemned packs that it has read; later the packs that it may use
  std::uint8_t block = 0;  // of its stream
  bool saw_damage = false;
  friend bool operator==(const Writer&, const Writer&) = default;
};

struct Pruner {
  std::uint8_t step = 0;
  std::uint8_t runs = 0;    // runs that may still begin
  std::uint8_t record = 0;  // the record that this run works on
  Set names;                // sessions to be settled; then live manifests
  Set removed;              // manifests with an old removal mark; names to be retired
  Set packs;                // to be condemned; listed; to be deleted
  Set index;                // the same of index objects
  Set numbers;              // retired objects that it has listed
  Set blocks;               // live blocks
  bool early = false;       // mutants: holds were listed too early
  friend bool operator==(const Pruner&, const Pruner&) = default;
};

struct Reader {
  std::uint8_t step = 0;
  std::uint8_t name = 0;
  Set names, packs, index, numbers;
  Set dead;  // for a check: listed manifests that were not live when they were listed
  friend bool operator==(const Reader&, const Reader&) = default;
};

struct IndexRepair {
  std::uint8_t step = 0;
  Set index, packs, covered;
  friend bool operator==(const IndexRepair&, const IndexRepair&) = default;
};

struct PackRepair {
  std::uint8_t step = 0;
  Set packs;
  Set names;  // sessions that its record waits for
  friend bool operator==(const PackRepair&, const PackRepair&) = default;
};

struct State {
  // Packs
  Set packs;
  Set damaged;  // and marked
  Set content;  // bit set: the pack holds block 1
  // Index objects
  Set index;
  Numbered<Set, kIndexes> claims;
  // Records and waits, by pruner
  Set records;          // records that are there
  Set records_removed;  // mutants: records that were removed
  Numbered<Set, kPruners> condemned;
  Numbered<Set, kPruners> condemned_index;
  Numbered<Set, kPruners> older;  // packs that are older than the record, by the store's time
  Set waits;
  Numbered<Set, kPruners> waits_for;
  Set unreadable;
  // Sessions, manifests and marks, by name
  Set sessions;
  Numbered<std::uint8_t, kNames> stored;
  Set removed;
  Set aged;             // names whose removal mark or fence is older than the undo time
  Set retired;          // numbers that are there
  Set retired_used;     // numbers that were ever used; a writer cannot see these
  Set retired_deleted;  // numbers of which a delete may arrive again
  Numbered<Set, kRetiredMax> retires;
  bool kept = false;
  // Requests that are under way
  std::uint8_t late_manifest = 0;
  bool late_pack_used = false, late_delete_used = false;
  // Facts for the checks
  Set reported;         // names whose writers reported success
  Set after_damage;     // manifests of writers that had listed the damage mark
  bool held = false;    // a hold reported success
  bool alarm = false;   // a reader reported damage
  bool misled = false;  // a reader took a manifest for live that was removed or retired before it began

  Numbered<Writer, kNames> writers;
  Numbered<Pruner, kPruners> pruners;
  Reader reader;
  IndexRepair index_repair;
  Numbered<PackRepair, kRepairers> pack_repairs;
  std::uint8_t hold_step = 0;
  friend bool operator==(const State&, const State&) = default;
};

// Whether a manifest, not a fence, is stored.
inline bool is_manifest(std::uint8_t stored) {
  return stored == kBlock0 || stored == kBlock1;
}

State initial(const Scenario& scenario);
Set used_packs(const Scenario& scenario);  // all that may ever be there
Set packs_with(const State& state, int block);
Set all_retired(const State& state);    // names in any retired object
Set all_condemned(const State& state);  // packs in any record
Set all_condemned_index(const State& state);
Set claimed_packs(const State& state);  // packs that an index object names
Set live_names(const State& state);     // manifests that are live at this moment
// What a writer learns from the records that it has listed: packs that it must not use. With a rule off, less.
Set distrusted(const Model& model, const State& state, Set records);

}  // namespace drs::model
