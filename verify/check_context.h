// What every part of one verify run works with.
#pragma once

#include <vector>

#include "engine/repository/repository.h"
#include "io/cancel.h"
#include "io/progress.h"
#include "verify/damage_map.h"
#include "verify/damage_marks.h"
#include "verify/finding_list.h"
#include "verify/verify.h"

namespace drs {

struct CheckContext {
  Repository& repository;
  const VerifyOptions& options;
  FindingList& findings;
  DamageMap& damage;
  DamageMarks& marks;
  ProgressCounters& progress;
  CancelToken& cancel;
  // What parts of the run leave to those after them; one thread.
  std::vector<Digest> tableless = {};  // packs that were read whole, whose tables are damaged
  std::vector<Digest> absent = {};  // packs in which a block that a snapshot needs was to be read, and that were gone
};

}  // namespace drs
