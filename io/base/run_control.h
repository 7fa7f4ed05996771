// How a long run is watched and ended.
#pragma once

#include "io/base/cancel.h"
#include "io/base/progress.h"

namespace drs {

// Both outlive the run.
struct RunControl {
  ProgressCounters& progress;  // the run counts here
  CancelToken& cancel;         // the run looks here
};

}  // namespace drs
