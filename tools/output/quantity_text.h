// Quantities as people write them: sizes, durations and shares. Only this file parses and prints them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/pipeline/keeping/calendar.h"
#include "io/base/result.h"

namespace drs {

// Digits, an optional fraction, an optional unit: "64MiB", "64m", "1.5G", "1000000". K, M, G, T, P (and KiB, MiB, ...)
// count in 1024; KB, MB, GB, TB, PB in 1000; B or nothing is bytes. Case does not matter. Errors: kUsage, saying what
// is accepted.
Result<std::uint64_t> parse_size(std::string_view text);

// Of --budget: a size or a time.
struct Budget {
  std::optional<std::uint64_t> bytes;
  std::optional<std::chrono::milliseconds> time;
};
// "45m" is a time, and "200GiB" a size. "45" and "5M" could be both, and are refused; so is 0. Errors: kUsage.
Result<Budget> parse_budget(std::string_view text);

// At most four significant digits, binary units: "0 B", "999 B", "1.5 KiB", "64 MiB", "3.42 GiB".
std::string format_size(std::uint64_t bytes);

// A number and its unit (ms, s, m, h, d, w); several in a row add up; a bare number is seconds: "30s", "5m", "1h30m",
// "500ms". Errors: kUsage, saying what is accepted.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// Two units at most: "0.4 s", "12 s", "3 min 05 s", "2 h 07 min", "3 d 04 h".
std::string format_duration(std::chrono::duration<double> duration);

// Years (y), months (m), weeks (w), days (d) and hours (h) of the calendar, each at most once: "30d", "1y6m3d2h".
// Errors: kUsage, saying what is accepted.
Result<CalendarSpan> parse_calendar_span(std::string_view text);
std::string format_calendar_span(const CalendarSpan& span);  // "1y6m3d2h"; weeks as days

// "10%" is 0.10; "12.5 %". The sign is required, so that 0.1 and 10 cannot be confused. Errors: kUsage, saying what is
// accepted.
Result<double> parse_percent(std::string_view text);

// "0 %", "7.3 %", "100 %"; "-" where the whole is 0.
std::string format_percent(std::uint64_t part, std::uint64_t whole);

}  // namespace drs
