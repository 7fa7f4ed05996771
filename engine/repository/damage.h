// Damage marks: what a check found, so that later pushes store those chunks again (FORMAT.md "Damaged mark").
#pragma once

#include "engine/repository/repository.h"

namespace drs {

// Keyless: works on the store alone. An existing mark is success.
Result<void> mark_damaged(ObjectStore& store, const Clock& clock, const Digest& pack, const std::string& found_by,
                          const std::string& problem);
// Takes a mark back after the pack proved whole. No mark is success.
Result<void> clear_damaged(ObjectStore& store, const Digest& pack);

}  // namespace drs
