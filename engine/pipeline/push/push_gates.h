// Gates: the conditions that a stream must meet before it is committed (--min-size, --max-shrink, --max-growth,
// --require-trailer).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/repository/snapshots.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// Checked on the finished stream, before anything is committed.
struct PushGates {
  bool allow_empty = false;
  std::optional<std::uint64_t> bytes_min;
  std::optional<double> shrink_max;  // 0.10: at most 10 % smaller than the reference (check_gates)
  std::optional<double> growth_max;
  std::string trailer_pattern;  // POSIX extended regular expression, searched in the last 64 KiB; empty: none
  bool tag_anomalies = false;   // commit with the tag "anomaly" instead of refusing
};

// Errors: kUsage (a trailer pattern that is too long, or not a regular expression).
Result<void> validate(const PushGates& gates);

// Checks the finished stream against the gates. `reference`: the snapshot with which shrink_max and growth_max compare;
// nullptr: there is none. Returns one text for each gate that it misses.
std::vector<std::string> check_gates(const PushGates& gates, std::uint64_t bytes, ByteView tail,
                                     const Snapshot* reference);

}  // namespace drs
