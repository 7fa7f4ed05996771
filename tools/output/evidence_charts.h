// Charts of what a document of evidence holds: ages of streams against their limits, sizes and stored bytes of
// snapshots over time, and how much of the stored data was read. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace drs {

// Streams that get charts, the worst first. The table has all.
inline constexpr std::size_t kChartedStreamsMax = 50;

// A section that says what part of the stored data a check has read; empty where the result is none of a check.
std::string coverage_html(const nlohmann::ordered_json& result);
// Empty where there is nothing to draw.
std::string charts_html(const nlohmann::ordered_json& result);

}  // namespace drs
