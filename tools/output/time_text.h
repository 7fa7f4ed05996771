// Points in time as people write them. Only this file parses and prints them.
//
// Read: "2026-11-20", "2026-11-20T02:00", "2026-11-20 02:00:05", fractions of a second, each of them with "Z" or
// "+01:00" behind the time of day (RFC 3339; a blank may stand between) or in local time without, and "now".
//
// A text names a whole interval of its precision: a day, a minute, a second, a fraction. We print seconds and store
// nanoseconds, so a time copied from our own output must select the snapshot that it was printed for.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "engine/format/kinds.h"
#include "io/base/result.h"

namespace drs {

// Which moment of the interval that a text names: "2026-11-20" begins at 00:00:00 and ends 1 ns before the next day.
enum class TimeEdge : std::uint8_t { kBegin, kEnd };

// `now_ns`: what "now" means. Errors: kUsage, saying what is accepted.
Result<WallNs> parse_time(std::string_view text, WallNs now_ns, TimeEdge edge);

// That the time of this machine's clock, in seconds since 1970, fits what is stored. Errors: kUsage.
Result<void> check_clock(std::time_t now);

// Local time with its zone, for people: "2026-11-20 02:00:05 +01:00".
std::string format_time_local(WallNs time_ns);
// For machines: "2026-11-20T01:00:05.123456789Z".
std::string format_time_utc(WallNs time_ns);
// How long before `now_ns` it was: "3 h 05 min ago". A time that is ahead was "0.0 s ago".
std::string ago_text(WallNs then_ns, WallNs now_ns);

}  // namespace drs
