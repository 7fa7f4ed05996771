// The surroundings of this process, for the search for credentials: its environment, files, children and network.
#pragma once

#include "sinks/http_client.h"
#include "sinks/surroundings.h"

namespace drs {

// `client` and `clock` are borrowed. Files of more than 1 MiB are refused; children do not see the variables that hold
// keys.
Surroundings process_surroundings(HttpClient& client, const Clock& clock);

}  // namespace drs
