// The cost of a command, for people (--stats) and programs (--json): the time of a push by stage, and the requests to
// an object store.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

#include "engine/pipeline/push/push_stats.h"
#include "sinks/transport/request_counts.h"

namespace drs {

// A table of stages, the waits, copies and buffers, and the bottleneck in a sentence. Lines end in line feeds.
std::string push_stats_text(const PushStats& stats);

// Keys are frozen within drstream.push/1; times are nanoseconds.
nlohmann::ordered_json push_stats_json(const PushStats& stats);

// "requests: put 12 (1 made again), get 30, list 4; sent 64 MiB, received 2.1 MiB\n"; empty where there were none.
std::string request_counts_text(const std::vector<RequestCount>& counts);

// {"put": {"request_count": 12, "attempt_count": 13, "sent_bytes": ..., "received_bytes": ...}, ...}
nlohmann::ordered_json request_counts_json(const std::vector<RequestCount>& counts);

}  // namespace drs
