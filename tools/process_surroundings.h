// The surroundings of this process, for the search for credentials: its environment, files, children and network.
#pragma once

#include <chrono>

#include "io/cancel.h"
#include "io/clock.h"
#include "sinks/http_message.h"
#include "sinks/surroundings.h"

namespace drs {

// How long a credential_process may take. A person may have to touch a device for it.
inline constexpr std::chrono::seconds kCredentialProcessTimeout{60};

// `clock` and `cancel` are borrowed; `cancel`, unless null, ends a command that runs, and so does our death,
// however we die; and it ends the wait for what a FIFO holds. Files of more than 1 MiB are refused; children do not see
// the variables that hold keys.
Surroundings process_surroundings(HttpFetch fetch, const Clock& clock, CancelToken* cancel);

}  // namespace drs
