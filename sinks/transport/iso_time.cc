#include "sinks/transport/iso_time.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>

namespace drs {
namespace {

using std::chrono::days;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// Reads fixed-width fields. After the first field that does not match, `ok` stays false.
struct Fields {
  std::string_view rest;
  bool ok = true;

  int digits(std::size_t count) {
    if (!ok || rest.size() < count) return fail();
    int value = 0;
    for (const char c : rest.substr(0, count)) {
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    rest.remove_prefix(count);
    return value;
  }
  void literal(char c) {
    if (!next_is(c)) ok = false;
  }
  // Takes `c` if it comes next.
  bool next_is(char c) {
    if (!ok || rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  // The digits after a decimal point, as nanoseconds; digits beyond the ninth are dropped.
  std::int64_t fraction_ns() {
    std::int64_t value = 0;
    std::int64_t unit_ns = 100'000'000;
    const std::size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (count == 0) return fail();
    for (const char c : rest.substr(0, count)) {
      value += (c - '0') * unit_ns;
      unit_ns /= 10;
    }
    rest.remove_prefix(count);
    return value;
  }
  int fail() {
    ok = false;
    return 0;
  }
};

struct Calendar {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

Calendar calendar_of(std::int64_t time_ns) {
  const auto since_1970 = std::chrono::floor<seconds>(nanoseconds(time_ns));
  const auto day = std::chrono::floor<days>(since_1970);
  const std::chrono::year_month_day date{std::chrono::sys_days(day)};
  const std::chrono::hh_mm_ss time(since_1970 - day);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count())};
}

constexpr int kYearMax = 2261;  // the last one whose every nanosecond fits into 64 bits

using Text = std::array<char, 48>;

}  // namespace

std::string format_basic_iso_time(std::int64_t time_ns) {
  const Calendar c = calendar_of(time_ns);
  Text text;
  std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute,
                c.second);
  return text.data();
}

std::string format_iso_time(std::int64_t time_ns) {
  const Calendar c = calendar_of(time_ns);
  Text text;
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute,
                c.second);
  return text.data();
}

std::optional<std::int64_t> parse_iso_time(std::string_view text) {
  Fields fields{text};
  const int year = fields.digits(4);
  fields.literal('-');
  const int month = fields.digits(2);
  fields.literal('-');
  const int day = fields.digits(2);
  fields.literal('T');
  const int hour = fields.digits(2);
  fields.literal(':');
  const int minute = fields.digits(2);
  fields.literal(':');
  const int second = fields.digits(2);
  const std::int64_t fraction_ns = fields.next_is('.') ? fields.fraction_ns() : 0;
  int east_minutes = 0;
  if (!fields.next_is('Z')) {
    const int sign = fields.next_is('-') ? -1 : 1;
    if (sign == 1) fields.literal('+');
    const int hours = fields.digits(2);
    fields.literal(':');
    const int minutes = fields.digits(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    east_minutes = sign * (hours * 60 + minutes);
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  const bool valid = year >= 1970 && date.ok() && hour <= 23 && minute <= 59 && second <= 60;
  if (!fields.ok || !fields.rest.empty() || !valid) return std::nullopt;
  if (year > kYearMax) return std::numeric_limits<std::int64_t>::max();
  const seconds whole = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                        std::chrono::minutes(minute - east_minutes) + seconds(second);
  return nanoseconds(whole).count() + fraction_ns;
}

}  // namespace drs
