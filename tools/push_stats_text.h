// Where a push spent its time, for people (push --stats) and machines (push --json).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/pipeline/push_stats.h"

namespace drs {

// A table of stages, the waits, copies and buffers, and the bottleneck in a sentence. Lines end in line feeds.
std::string push_stats_text(const PushStats& stats);

// Keys are frozen within drstream.push/1; times are nanoseconds.
nlohmann::ordered_json push_stats_json(const PushStats& stats);

}  // namespace drs
