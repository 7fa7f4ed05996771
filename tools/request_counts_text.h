// Requests to an object store, for people (push --stats) and machines (--json).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sinks/request_counts.h"

namespace drs {

// "requests: put 12 (1 made again), get 30, list 4; sent 64 MiB, received 2.1 MiB\n"; empty where there were none.
std::string request_counts_text(const std::vector<RequestCount>& counts);

// {"put": {"requests": 12, "attempts": 13, "sent_bytes": ..., "received_bytes": ...}, ...}
nlohmann::ordered_json request_counts_json(const std::vector<RequestCount>& counts);

}  // namespace drs
