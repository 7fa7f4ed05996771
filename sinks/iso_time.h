// Points in time as ISO 8601 writes them. All are UTC, counted in nanoseconds since 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drs {

// "20130524T000000Z", the basic format, as in x-amz-date; what is below a second is dropped. Its first 8 characters are
// the day.
std::string format_basic_iso_time(std::int64_t time_ns);
// "2013-05-24T00:00:00Z", for messages.
std::string format_iso_time(std::int64_t time_ns);
// The extended format, as in answers: "2009-10-12T17:50:30.000Z", with any fraction or none, "Z" or "+01:00". None for
// anything else, and for years before 1970 or after 2261.
std::optional<std::int64_t> parse_iso_time(std::string_view text);

}  // namespace drs
