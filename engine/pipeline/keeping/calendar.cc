#include "engine/pipeline/keeping/calendar.h"

#include <ctime>
#include <limits>

#include "io/base/result.h"

namespace drs {
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;  // of a second

struct Seconds {
  std::time_t whole = 0;
  std::int64_t nanoseconds = 0;  // 0 to 999,999,999
};

Seconds seconds_of(WallNs time_ns) {
  std::int64_t whole = time_ns / kNanoseconds;
  std::int64_t rest = time_ns % kNanoseconds;
  if (rest < 0) {
    --whole;
    rest += kNanoseconds;
  }
  return {whole, rest};
}

std::tm local_time(std::time_t seconds) {
  std::tm local{};
  const bool converted = ::localtime_r(&seconds, &local) != nullptr;
  DRS_ASSERT(converted, "a time of 64 bits of nanoseconds has a year");
  return local;
}

bool is_leap_year(std::int32_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// The number of ISO weeks of a year: 53 if it begins on a Thursday, or is a leap year that begins on a Wednesday.
// `weekday`: of its 1 January, 0 for Monday.
std::int32_t weeks_of_year(std::int32_t year, std::int32_t weekday) {
  return weekday == 3 || (weekday == 2 && is_leap_year(year)) ? 53 : 52;
}

}  // namespace

CivilTime civil_time(WallNs time_ns) {
  const std::tm local = local_time(seconds_of(time_ns).whole);
  CivilTime time;
  time.year = local.tm_year + 1900;
  time.month = local.tm_mon + 1;
  time.day = local.tm_mday;
  time.hour = local.tm_hour;
  const std::int32_t weekday = (local.tm_wday + 6) % 7;                        // 0: Monday
  const std::int32_t first_weekday = ((weekday - local.tm_yday) % 7 + 7) % 7;  // of 1 January
  time.week_year = time.year;
  time.week = (local.tm_yday - weekday + 10) / 7;
  if (time.week == 0) {
    time.week_year = time.year - 1;
    const std::int32_t days = is_leap_year(time.week_year) ? 366 : 365;
    time.week = weeks_of_year(time.week_year, ((first_weekday - days) % 7 + 7) % 7);
  } else if (time.week > weeks_of_year(time.year, first_weekday)) {
    time.week_year = time.year + 1;
    time.week = 1;
  }
  return time;
}

std::int64_t period_number(const CivilTime& time, Period period) {
  const std::int64_t month = std::int64_t{time.year} * 12 + time.month;
  switch (period) {
    case Period::kHour: return (month * 32 + time.day) * 24 + time.hour;
    case Period::kDay: return month * 32 + time.day;
    case Period::kWeek: return std::int64_t{time.week_year} * 54 + time.week;
    case Period::kMonth: return month;
    case Period::kYear: return time.year;
  }
  return 0;
}

WallNs time_before(WallNs time_ns, const CalendarSpan& span) {
  const auto [whole, nanoseconds] = seconds_of(time_ns);
  std::tm local = local_time(whole);
  local.tm_year -= span.years;
  local.tm_mon -= span.months;
  local.tm_mday -= span.days;
  local.tm_isdst = -1;
  constexpr WallNs kLeast = std::numeric_limits<WallNs>::min();
  const std::time_t day = std::mktime(&local) - std::time_t{3600} * span.hours;
  // The year -1,000,000 is far beyond what a WallNs holds, and not beyond what mktime takes.
  if (day < kLeast / kNanoseconds) return kLeast;
  return day * kNanoseconds + nanoseconds;
}

}  // namespace drs
