// Durations as people write them: "30s", "5m", "2h", "1d", "1h30m", "500ms". Read and printed in this one place.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

// A number and its unit (ms, s, m, h, d, w), several one after the other add up; a bare number is seconds. Errors:
// kUsage, saying what is accepted.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// Two units at most: "0.4 s", "12 s", "3 min 05 s", "2 h 07 min", "3 d 04 h".
std::string format_duration(std::chrono::duration<double> duration);

}  // namespace drs
