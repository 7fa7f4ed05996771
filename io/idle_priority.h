// Gives way to everything else on the machine, for work that nobody waits for.
#pragma once

#include "io/base/result.h"

namespace drs {

// The calling thread, and those that it starts later, get processor and disk only while nothing else wants them
// (SCHED_IDLE and the idle class of ionice(1)). Call it before threads are started. Errors: those of errno, after which
// one of the two may be in force.
Result<void> run_when_idle();

}  // namespace drs
