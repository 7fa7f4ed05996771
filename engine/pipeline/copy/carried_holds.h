// The holds of the snapshots that a copy has copied, or has found there: the target gets holds of its own.
#pragma once

#include "engine/pipeline/copy/copy.h"
#include "engine/repository/repository.h"

namespace drs {

// Holds each of them in the target at least as long as in the source; never ends or shortens a hold there. Where the
// target's credentials hold for at most a year, a later copy renews the hold before it ends. Adds to `report`, also a
// warning for each that could not be held. Errors: the stores', kCancelled.
Result<void> carry_holds(Repository& source, Repository& target, CopyReport& report);

}  // namespace drs
