// What all parts of one verify run share.
#pragma once

#include <vector>

#include "engine/repository/repository.h"
#include "io/base/cancel.h"
#include "io/base/progress.h"
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
  // Results for later parts of the run; one thread.
  std::vector<Digest> tableless = {};  // packs that were read to their end and whose tables are damaged
  std::vector<Digest> absent = {};     // packs that the store did not find when a block of a snapshot was read
};

}  // namespace drs
