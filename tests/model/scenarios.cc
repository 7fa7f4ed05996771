#include "tests/model/catalog.h"

namespace drs::model {
namespace {

constexpr Set kBoth = only(0) | only(1);

class Scenarios {
 public:
  void add(const char* name, void (*change)(Scenario&)) {
    Scenario scenario;
    scenario.name = name;
    change(scenario);
    all.push_back(scenario);
  }
  // The same as another, with prunes that move blocks in their first half.
  void add_with_moves(const char* name, std::string_view other) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].name != other) continue;
      Scenario scenario = all[i];
      scenario.name = name;
      scenario.moves = true;
      all.push_back(scenario);
      return;
    }
  }
  std::vector<Scenario> all;
};

// Only block 1, in P2, and no snapshot: for resume and copy.
void only_p2(Scenario& s) {
  s.packs = only(kP2);
  s.snapshot = false;
  s.blocks = only(1);
}

// As little as shows most rules.
void add_small(Scenarios& scenarios) {
  scenarios.add("small-push", [](Scenario& s) {
    s.packs = only(kP0);
    s.snapshot = false;
    s.runs_y = 0;
  });
  scenarios.add("small-two-prunes", [](Scenario& s) {
    s.packs = only(kP0);
    s.snapshot = false;
    s.runs_x = s.runs_y = 2;
  });
  scenarios.add("small-lost-answer", [](Scenario& s) {
    s.packs = only(kP0);
    s.snapshot = false;
    s.lost_answer = true;
    s.runs_y = 0;
  });
  scenarios.add("small-copies", [](Scenario& s) { s.writers = kNone; });
  scenarios.add("small-unreadable-copy", [](Scenario& s) {
    s.writers = kNone;
    s.unreadable = only(kRecordX);
  });
  scenarios.add("small-retire", [](Scenario& s) {
    s.packs = kNone;
    s.snapshot = false;
    s.fenced = s.writers = only(kPushA) | only(kPushB);
    s.undo = s.retire = true;
  });
  scenarios.add("small-exclusive", [](Scenario& s) {
    s.packs = only(kP0);
    s.snapshot = false;
    s.exclusive = true;
    s.runs_x = 1;
    s.runs_y = 0;
  });
  scenarios.add("small-unreadable", [](Scenario& s) {
    s.packs = only(kP0);
    s.snapshot = false;
    s.unreadable = only(kRecordX) | only(kWaitsX) | only(kSessions);
    s.runs_y = 0;
  });
}

void add_writers(Scenarios& scenarios) {
  scenarios.add("push", [](Scenario& s) { s.forget = only(kSnapshot); });
  scenarios.add("push-new", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.packs = only(kP0);
    s.stores_new = true;
    s.blocks = kBoth;
  });
  scenarios.add("two-pushes", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.writers = only(kPushA) | only(kPushB);
  });
  scenarios.add("push-damage", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.damage = true;
  });
  scenarios.add("lost-answer", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.lost_answer = true;
  });
  scenarios.add("three-runs", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.runs_x = s.runs_y = 3;
  });
  scenarios.add("late-put", [](Scenario& s) {
    only_p2(s);
    s.late_pack = true;
  });
}

void add_resume_and_copy(Scenarios& scenarios) {
  scenarios.add("resume", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kPushA) | only(kResume);
  });
  scenarios.add("resume-later", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kPushA) | only(kResume);
    s.resume_began = false;
  });
  scenarios.add("late-delete", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kResume);
    s.resume_began = false;
    s.late_delete = true;
  });
  scenarios.add("copy", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kCopy);
  });
  scenarios.add("copy-absent", [](Scenario& s) {
    only_p2(s);
    s.packs = only(kP0);
    s.writers = only(kCopy);
  });
  scenarios.add("copy-late-put", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kCopy);
    s.late_pack = true;
  });
  scenarios.add("copy-push", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kPushA) | only(kCopy);
  });
  scenarios.add("copy-resume", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kResume) | only(kCopy);
  });
}

void add_moves(Scenarios& scenarios) {
  scenarios.add_with_moves("moves-push", "push");
  scenarios.add_with_moves("moves-new", "push-new");
  scenarios.add_with_moves("moves-pushes", "two-pushes");
  scenarios.add_with_moves("moves-damage", "push-damage");
  scenarios.add_with_moves("moves-late-put", "late-put");
  scenarios.add_with_moves("moves-resume", "resume");
  scenarios.add_with_moves("moves-resume-later", "resume-later");
  scenarios.add("moves-resume-alone", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kResume);
    s.moves = true;
  });
  scenarios.add("moves-push-resume", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kPushA) | only(kResume);
    s.moves = true;
    s.runs_y = 1;
  });
  scenarios.add("moves-copy-resume", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kCopy) | only(kResume);
    s.moves = true;
    s.runs_y = 1;
  });
  scenarios.add("moves-copy-alone", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kCopy);
    s.moves = true;
    s.runs_y = 1;
  });
  scenarios.add_with_moves("moves-copy", "copy");
  scenarios.add_with_moves("moves-copy-late", "copy-late-put");
  scenarios.add_with_moves("moves-copy-push", "copy-push");
}

void add_index(Scenarios& scenarios) {
  // The block lies in a pack whose table cannot be read: only index objects find it.
  scenarios.add("index-only-list", [](Scenario& s) {
    s.index = true;
    s.packs = s.tables_lost = only(kP0);
    s.claims0 = s.claims1 = only(kP0);
    s.writers = kNone;
    s.reader = true;
  });
  // The index names a pack that is lost.
  scenarios.add("index-claim", [](Scenario& s) {
    s.index = true;
    s.packs = s.packs_lost = s.claims0 = only(kP2);
    s.snapshot = false;
    s.blocks = only(1);
    s.runs_y = 0;
  });
  scenarios.add("index-vanishes", [](Scenario& s) {
    s.index = s.reader = true;
    s.packs = s.claims0 = only(kP0);
    s.writers = kNone;
    s.runs_y = 0;
  });
  scenarios.add("index-reader", [](Scenario& s) {
    s.index = s.moves = s.reader = true;
    s.packs = s.claims0 = only(kP0);
    s.writers = kNone;
    s.forget = only(kSnapshot);
  });
  // Push A stores a pack before the index object that names it; push B uses the pack.
  scenarios.add("index-push", [](Scenario& s) {
    s.index = s.stores_new = true;
    s.packs = kNone;
    s.snapshot = false;
    s.blocks = only(1);
    s.writers = only(kPushA) | only(kPushB);
    s.runs_x = 3;
    s.runs_y = 0;
  });
  scenarios.add("index-repair", [](Scenario& s) {
    s.index = s.repair_index = true;
    s.packs = only(kP0) | only(kP2);
    s.tables_lost = only(kP0);
    s.claims0 = only(kP0) | only(kP2);
    s.claims1 = only(kP0);
    s.writers = kNone;
    s.reader = true;
  });
  scenarios.add("index-repair-all", [](Scenario& s) {
    s.index = s.repair_index = s.repair_all = true;
    s.packs = s.claims0 = only(kP0) | only(kP1);
    s.tables_lost = only(kP1);
    s.writers = kNone;
    s.forget = only(kSnapshot);
    s.reader = true;
  });
  // P2 is lost with the block of the snapshot: its chunks can be rebuilt while an index object names them.
  scenarios.add("index-lost-block", [](Scenario& s) {
    s.index = s.repair_index = true;
    s.packs = only(kP0) | only(kP2);
    s.packs_lost = only(kP2);
    s.snapshot_block = 1;
    s.claims0 = only(kP0) | only(kP2);
    s.claims1 = only(kP2);
    s.writers = kNone;
  });
}

void add_forget(Scenarios& scenarios) {
  scenarios.add("reader", [](Scenario& s) {
    s.packs = only(kP0);
    s.moves = s.reader = true;
    s.writers = kNone;
  });
  scenarios.add("forget", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.undo = s.reader = true;
    s.packs = only(kP0);
    s.writers = kNone;
  });
  scenarios.add("unforget", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.undo = true;
    s.writers = only(kUnforget);
  });
  scenarios.add("unforget-push", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.undo = true;
    s.packs = only(kP0);
    s.writers = only(kUnforget) | only(kPushA);
  });
  scenarios.add_with_moves("unforget-moves", "unforget");
  scenarios.add("hold", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.undo = s.hold = true;
    s.writers = kNone;
  });
  scenarios.add("hold-unforget", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.undo = s.hold = true;
    s.packs = only(kP0);
    s.writers = only(kUnforget);
  });
  scenarios.add("forget-copy", [](Scenario& s) {
    only_p2(s);
    s.forget = only(kCopy);
    s.writers = only(kCopy);
    s.reader = true;
  });
  scenarios.add("exclusive", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.undo = s.exclusive = true;
    s.packs = only(kP0);
    s.writers = only(kPushA) | only(kUnforget);
  });
}

void add_retired(Scenarios& scenarios) {
  // Push A is fenced while it sleeps; the fence is taken up; it wakes.
  scenarios.add("retire", [](Scenario& s) {
    s.packs = only(kP0);
    s.snapshot = false;
    s.undo = s.retire = s.reader = true;
    s.runs_x = 4;
    s.runs_y = 0;
  });
  scenarios.add("retire-doubt", [](Scenario& s) {
    s.packs = only(kP0);
    s.snapshot = false;
    s.undo = s.retire = s.lost_answer = true;
    s.runs_x = 4;
    s.runs_y = 0;
  });
  scenarios.add("retire-mark", [](Scenario& s) {
    s.packs = only(kP0);
    s.forget = only(kSnapshot);
    s.undo = s.retire = s.reader = true;
    s.writers = kNone;
    s.runs_x = 3;
    s.runs_y = 1;
  });
  scenarios.add("retire-copy", [](Scenario& s) {
    only_p2(s);
    s.undo = s.retire = true;
    s.writers = only(kCopy);
    s.runs_x = 4;
    s.runs_y = 0;
  });
  // Two sleeping pushes with old fences: prunes take these up and rewrite retired objects at the same time.
  scenarios.add("retire-rewrite", [](Scenario& s) {
    s.packs = kNone;
    s.snapshot = false;
    s.fenced = s.writers = only(kPushA) | only(kPushB);
    s.undo = s.retire = s.reader = true;
    s.runs_x = 2;
    s.runs_y = 2;
  });
  scenarios.add("retire-numbers", [](Scenario& s) {
    s.packs = kNone;
    s.snapshot = false;
    s.fenced = s.writers = only(kPushA) | only(kPushB) | only(kResume);
    s.resume_began = false;
    s.undo = s.retire = s.late_delete = true;
    s.runs_x = 1;
    s.runs_y = 2;
  });
}

void add_unreadable(Scenarios& scenarios) {
  scenarios.add("unreadable-record", [](Scenario& s) {
    s.forget = only(kSnapshot);
    s.unreadable = only(kRecordX);
  });
  scenarios.add("unreadable-late", [](Scenario& s) {
    only_p2(s);
    s.late_pack = true;
    s.unreadable = only(kRecordX);
    s.runs_x = 3;
    s.runs_y = 0;
  });
  scenarios.add("unreadable-late-copy", [](Scenario& s) {
    s.packs = only(kP2) | only(kCopied);
    s.snapshot_block = 1;
    s.writers = kNone;
    s.late_pack = true;
    s.unreadable = only(kRecordX);
  });
  scenarios.add("unreadable-copy", [](Scenario& s) {
    only_p2(s);
    s.writers = only(kCopy);
    s.unreadable = only(kRecordX);
  });
  scenarios.add("unreadable-waits", [](Scenario& s) {
    s.packs = only(kP0);
    s.forget = only(kSnapshot);
    s.unreadable = only(kWaitsX);
  });
  scenarios.add("unreadable-manifest", [](Scenario& s) {
    s.packs = only(kP0);
    s.forget = only(kSnapshot);
    s.unreadable = only(kManifest) | only(kRecipe);
    s.writers = kNone;
  });
  scenarios.add("unreadable-mark", [](Scenario& s) {
    s.packs = only(kP0);
    s.forget = only(kSnapshot);
    s.unreadable = only(kForgedMark);
    s.writers = kNone;
  });
  scenarios.add("unreadable-session", [](Scenario& s) {
    s.packs = only(kP0);
    s.forget = only(kSnapshot);
    s.unreadable = only(kSessions);
  });
}

void add_repair_packs(Scenarios& scenarios) {
  scenarios.add("repair-packs", [](Scenario& s) {
    s.damage = true;
    s.repair_packs = 2;
    s.runs_y = 0;
  });
  scenarios.add("repair-missing", [](Scenario& s) {
    only_p2(s);
    s.packs_lost = only(kP2);
    s.repair_packs = 1;
    s.runs_x = s.runs_y = 3;
  });
  scenarios.add("repair-condemns", [](Scenario& s) {
    s.damage = s.repair_condemns = true;
    s.repair_packs = 2;
    s.runs_x = 3;
    s.runs_y = 0;
  });
  scenarios.add("repair-condemns-missing", [](Scenario& s) {
    only_p2(s);
    s.packs_lost = only(kP2);
    s.forget = only(kSnapshot);
    s.late_pack = s.repair_condemns = true;
    s.repair_packs = 1;
    s.runs_x = 4;
    s.runs_y = 0;
  });
}

std::vector<Scenario> make_scenarios() {
  Scenarios scenarios;
  add_small(scenarios);
  add_writers(scenarios);
  add_resume_and_copy(scenarios);
  add_moves(scenarios);
  add_index(scenarios);
  add_forget(scenarios);
  add_retired(scenarios);
  add_unreadable(scenarios);
  add_repair_packs(scenarios);
  return scenarios.all;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = make_scenarios();
  return all;
}

std::vector<Scenario> walk_scenarios() {
  Scenarios scenarios;
  scenarios.add("walk-writers", [](Scenario& s) {
    s.packs = only(kP0) | only(kP1) | only(kP2);
    s.blocks = kBoth;
    s.forget = only(kSnapshot);
    s.writers = only(kPushA) | only(kPushB) | only(kResume) | only(kCopy);
    s.moves = s.damage = s.late_pack = s.lost_answer = s.stores_new = true;
    s.runs_x = s.runs_y = 3;
  });
  scenarios.add("walk-forget", [](Scenario& s) {
    s.packs = only(kP0) | only(kP1) | only(kP2);
    s.blocks = kBoth;
    s.forget = only(kSnapshot);
    s.writers = only(kPushA) | only(kResume) | only(kUnforget) | only(kCopy);
    s.moves = s.undo = s.hold = s.reader = s.index = s.repair_index = s.stores_new = true;
    s.claims0 = only(kP0) | only(kP1);
    s.runs_x = s.runs_y = 4;
  });
  scenarios.add("walk-retire", [](Scenario& s) {
    s.packs = only(kP0) | only(kP1) | only(kP2);
    s.blocks = kBoth;
    s.forget = only(kSnapshot);
    s.writers = only(kPushA) | only(kPushB) | only(kResume) | only(kUnforget) | only(kCopy);
    s.moves = s.undo = s.hold = s.retire = s.reader = s.late_pack = s.lost_answer = s.exclusive = true;
    s.runs_x = s.runs_y = 6;
  });
  scenarios.add("walk-damage", [](Scenario& s) {
    s.packs = only(kP0) | only(kP1) | only(kP2);
    s.blocks = kBoth;
    s.forget = only(kSnapshot);
    s.writers = only(kPushA) | only(kResume) | only(kCopy);
    s.moves = s.damage = s.undo = true;
    s.unreadable = only(kRecordX) | only(kWaitsY) | only(kManifest) | only(kRecipe) | only(kSessions);
    s.repair_packs = 2;
    s.runs_x = s.runs_y = 4;
  });
  return scenarios.all;
}

}  // namespace drs::model
