// The first half of a deletion: moves the live blocks of the chosen packs into new ones, writes index objects without
// the chosen packs, and only then stores the record that condemns the packs and the index objects that are replaced,
// and after it the sessions that the deletion waits for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/pipeline/keeping/dead_space.h"
#include "engine/pipeline/keeping/live_data.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/repository.h"
#include "io/base/run_control.h"

namespace drs {

struct CondemnReport {
  std::uint64_t packs = 0;
  std::uint64_t packs_bytes = 0;
  std::uint64_t index_objects = 0;
  std::vector<std::string> left;  // packs that were chosen but are left, since a live block in them cannot be read
};

// Condemns nothing if there is nothing to condemn. A run that ends early leaves new packs and index objects beside the
// old ones; a later one takes them up. Errors: kCancelled, the store's.
Result<CondemnReport> condemn(Repository& repository, LiveData& live, BlockMover& mover, const ChosenPacks& chosen,
                              const RunControl& control);

}  // namespace drs
