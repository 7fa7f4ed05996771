// Points in time as people write them, read and printed in this one place.
//
// Read: "2026-11-20", "2026-11-20T02:00", "2026-11-20 02:00:05", fractions of a second, each of them with "Z" or
// "+01:00" behind the time of day (RFC 3339) or in local time without, and "now". A date alone is its first moment.
#pragma once

#include <string>
#include <string_view>

#include "engine/format/kinds.h"
#include "io/result.h"

namespace drs {

// `now_ns`: what "now" means. Errors: kUsage, saying what is accepted.
Result<WallNs> parse_time(std::string_view text, WallNs now_ns);

std::string format_time_local(WallNs time_ns);  // "2026-11-20 02:00:05", local time
std::string format_time_utc(WallNs time_ns);    // "2026-11-20T01:00:05.123456789Z", for machines

}  // namespace drs
