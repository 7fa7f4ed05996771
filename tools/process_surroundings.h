// The surroundings of this process, for the search for credentials: its environment, files, children and network.
#pragma once

#include "io/clock.h"
#include "sinks/http_message.h"
#include "sinks/surroundings.h"

namespace drs {

// `clock` is borrowed. Files of more than 1 MiB are refused; children do not see the variables that hold
// keys.
Surroundings process_surroundings(HttpFetch fetch, const Clock& clock);

}  // namespace drs
