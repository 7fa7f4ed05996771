// Times in ISO 8601. All are UTC, in nanoseconds since 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drs {

// "20130524T000000Z", the basic format, as in x-amz-date; fractions of a second are dropped. The first 8 characters are
// the day.
std::string format_basic_iso_time(std::int64_t time_ns);
// "2013-05-24T00:00:00Z", for messages.
std::string format_iso_time(std::int64_t time_ns);
// The extended format, as in answers: "2009-10-12T17:50:30.000Z", with an optional fraction, and "Z" or "+01:00". A
// time after the year 2261, which 64 bits cannot hold, becomes the greatest value. None for any other text, and for
// years before 1970.
std::optional<std::int64_t> parse_iso_time(std::string_view text);

}  // namespace drs
