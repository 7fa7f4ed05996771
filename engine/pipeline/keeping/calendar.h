// Hours, days, weeks, months and years of local time, for the rules of keep_rules.h. Local time is that of the process:
// the variable TZ, else /etc/localtime, read by the C library. Threads: any, while none changes the environment.
#pragma once

#include <cstdint>

#include "engine/format/kinds.h"

namespace drs {

// The date and hour of a moment.
struct CivilTime {
  std::int32_t year = 1970;
  std::int32_t month = 1;  // 1 to 12
  std::int32_t day = 1;
  std::int32_t hour = 0;
  std::int32_t week_year = 1970;  // ISO 8601: weeks begin on Monday, and the first one of a year holds its 4 January
  std::int32_t week = 1;
  friend bool operator==(const CivilTime&, const CivilTime&) = default;
};
CivilTime civil_time(WallNs time_ns);

enum class Period : std::uint8_t { kHour, kDay, kWeek, kMonth, kYear };
// A number of the period: two moments are in the same period if their numbers are equal. The hour that is repeated when
// daylight saving time ends is one period.
std::int64_t period_number(const CivilTime& time, Period period);

// A number of years, months and so on.
struct CalendarSpan {
  std::int32_t years = 0;
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int32_t hours = 0;
  [[nodiscard]] bool is_zero() const { return years == 0 && months == 0 && days == 0 && hours == 0; }
  friend bool operator==(const CalendarSpan&, const CalendarSpan&) = default;
};
inline constexpr std::int32_t kCalendarSpanMax = 1'000'000;  // of each number

// The moment that lies `span` before `time_ns`: years, months and days by the calendar, so that the hour of the day
// stays although daylight saving time begins or ends; hours as they pass. A day that a month does not have counts on
// into the next month: a month before 31 May is 1 May. Not before the least time that a WallNs can hold.
WallNs time_before(WallNs time_ns, const CalendarSpan& span);

}  // namespace drs
