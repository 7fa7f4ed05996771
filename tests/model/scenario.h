// One scenario of the model: which actors there are, what the repository holds at the start, what may go wrong.
#pragma once

#include <cstdint>
#include <string>

#include "tests/model/rules.h"
#include "tests/model/set.h"

namespace drs::model {

// Packs. P0 and P1 hold block 0, P2 holds block 1; what the others hold depends on who writes them.
enum Pack { kP0, kP1, kP2, kMovedX, kMovedY, kCopied, kPushed, kRepaired, kPacks };
// Names under manifests/, one for each session. The snapshot is there at the start. A lasting session has no manifest.
enum Name { kSnapshot, kPushA, kPushB, kResume, kCopy, kUnforget, kLasting, kNames };
enum Index { kIndex0, kIndex1, kIndexX, kIndexY, kIndexPush, kIndexRepair, kIndexes };
enum Holding : std::uint8_t { kAbsent, kBlock0, kBlock1, kFence };  // what is stored under a name of manifests/
enum Unreadable { kRecordX, kRecordY, kWaitsX, kWaitsY, kManifest, kRecipe, kForgedMark, kSessions, kUnreadables };

constexpr int kPruners = 2;     // X and Y; each writes at most one condemned record
constexpr int kRetiredMax = 4;  // numbers of retired objects
constexpr int kRepairers = 2;

struct Scenario {
  std::string name;
  Set packs = only(kP0) | only(kP1);
  Set blocks = only(0);  // a push may make a stream of one of these blocks
  bool snapshot = true;  // a snapshot of `snapshot_block` is there
  int snapshot_block = 0;
  Set writers = only(kPushA);  // the sessions that take part, by name
  bool resume_began = true;    // the push that is resumed has left its session object
  Set fenced;                  // writers that sleep before their commit, behind a fence; their packs are gone
  bool stores_new = false;     // push A stores a block of which no pack can be used
  Set forget;                  // names that may be marked as removed, whether or not their manifest is there
  bool undo = false;           // marks and fences have an age
  bool hold = false;
  bool reader = false;
  bool moves = false;    // prunes move blocks of any pack in their first half
  bool index = false;    // index objects are modelled
  Set claims0, claims1;  // the packs that the index objects at the start name; 0: not there
  Set tables_lost;       // packs whose table cannot be read, though their blocks can
  Set packs_lost;        // packs that were lost before the start
  bool repair_index = false, repair_all = false;
  int repair_packs = 0;  // how many run
  bool repair_condemns =
      false;  // the first one condemns what it has superseded, as the record of Y, which does not run
  bool retire = false;
  bool damage = false;       // P1 may become damaged, and is then marked
  bool late_pack = false;    // a delayed put of P2 may arrive
  bool lost_answer = false;  // push A may not know whether its manifest is stored
  bool late_delete = false;  // a delayed delete of an earlier session object of `resume` may arrive
  bool exclusive = false;    // X runs with --exclusive
  Set unreadable;            // what may become unreadable, and readable again
  int runs_x = 2, runs_y = 2;
};

struct Model {
  Rules rules;
  Scenario scenario;
};

}  // namespace drs::model
