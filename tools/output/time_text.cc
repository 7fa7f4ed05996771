#include "tools/output/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "tools/output/quantity_text.h"

namespace drs {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
// Years that fit WallNs with room to spare: it ends in April 2262.
constexpr int kYearMin = 1700;
constexpr int kYearMax = 2261;
constexpr std::time_t kClockSecondsMax = 9'214'646'399;  // the end of kYearMax

Error not_a_time(std::string_view text) {
  return {ErrorCode::kUsage,
          fmt::format("'{}' is not a time; accepted are 2026-11-20, 2026-11-20T02:00, '2026-11-20 02:00:05', each in "
                      "local time, or with Z or +01:00 after the time of day; and now",
                      text)};
}

// Consumes the text from the front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  bool take(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `count` digits.
  std::optional<int> digits(std::size_t count) {
    if (rest_.size() < count) return {};
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return {};
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  // One to nine digits, as a fraction of a second. `unit` becomes the worth of the last digit.
  std::optional<std::int64_t> fraction_ns(std::int64_t& unit) {
    std::int64_t value = 0;
    unit = kNsPerSecond;
    while (unit > 1 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      unit /= 10;
      value += (rest_.front() - '0') * unit;
      rest_.remove_prefix(1);
    }
    if (unit == kNsPerSecond) return {};
    return value;
  }

 private:
  std::string_view rest_;
};

struct ParsedTime {
  std::tm fields{};
  std::int64_t fraction_ns = 0;
  std::int64_t unit_ns = 0;                  // what the last digits count; 0: a day
  std::optional<std::int64_t> zone_seconds;  // local time, if not given
};

bool parse_time_of_day(Cursor& cursor, ParsedTime& out) {
  const auto hour = cursor.digits(2);
  if (!hour || !cursor.take(':')) return false;
  const auto minute = cursor.digits(2);
  if (!minute || *hour > 23 || *minute > 59) return false;
  out.fields.tm_hour = *hour;
  out.fields.tm_min = *minute;
  out.unit_ns = 60 * kNsPerSecond;
  if (cursor.take(':')) {
    const auto second = cursor.digits(2);
    if (!second || *second > 59) return false;
    out.fields.tm_sec = *second;
    out.unit_ns = kNsPerSecond;
    if (cursor.take('.')) {
      const auto fraction = cursor.fraction_ns(out.unit_ns);
      if (!fraction) return false;
      out.fraction_ns = *fraction;
    }
  }
  const bool zone_follows = cursor.take(' ');  // as format_time_local prints it
  if (cursor.take('Z') || cursor.take('z')) {
    out.zone_seconds = 0;
    return true;
  }
  const bool east = cursor.take('+');
  if (!east && !cursor.take('-')) return !zone_follows;
  const auto zone_hours = cursor.digits(2);
  if (!zone_hours || !cursor.take(':')) return false;
  const auto zone_minutes = cursor.digits(2);
  if (!zone_minutes || *zone_hours > 23 || *zone_minutes > 59) return false;
  const std::int64_t seconds = *zone_hours * 3600 + *zone_minutes * 60;
  out.zone_seconds = east ? seconds : -seconds;
  return true;
}

std::optional<ParsedTime> parse_fields(std::string_view text) {
  Cursor cursor(text);
  ParsedTime out;
  const auto year = cursor.digits(4);
  if (!year || !cursor.take('-')) return {};
  const auto month = cursor.digits(2);
  if (!month || !cursor.take('-')) return {};
  const auto day = cursor.digits(2);
  if (!day || *month < 1 || *month > 12 || *day < 1) return {};
  const bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (*day > kDays[*month - 1] + (leap && *month == 2 ? 1 : 0)) return {};
  out.fields.tm_year = *year - 1900;
  out.fields.tm_mon = *month - 1;
  out.fields.tm_mday = *day;
  if (!cursor.at_end()) {
    if (!cursor.take('T') && !cursor.take('t') && !cursor.take(' ')) return {};
    if (!parse_time_of_day(cursor, out)) return {};
  }
  if (!cursor.at_end()) return {};
  return out;
}

struct SplitTime {
  std::time_t seconds;
  std::int64_t fraction_ns;
};
SplitTime split(WallNs time_ns) {
  std::int64_t seconds = time_ns / kNsPerSecond;
  std::int64_t fraction_ns = time_ns % kNsPerSecond;
  if (fraction_ns < 0) {
    fraction_ns += kNsPerSecond;
    --seconds;
  }
  return {static_cast<std::time_t>(seconds), fraction_ns};
}

// When the local time of `fields` begins. A time that occurs twice, when clocks are set back, is the first or, with
// `last`, the second; a time that is skipped, when they are set forward, is none.
std::optional<std::int64_t> local_seconds(const std::tm& fields, bool last) {
  constexpr std::int64_t kDay = 86'400;
  std::tm shown = fields;
  const std::int64_t about = ::timegm(&shown);  // also normalises a day past the month's end
  std::optional<std::int64_t> found;
  for (const std::int64_t side : {-kDay, kDay}) {
    const std::time_t near_by = about + side;
    std::tm local{};
    ::localtime_r(&near_by, &local);
    const std::time_t candidate = about - local.tm_gmtoff;
    ::localtime_r(&candidate, &local);
    if (candidate + local.tm_gmtoff != about) continue;
    if (!found || (candidate > *found) == last) found = candidate;
  }
  return found;
}

std::string format_fields(const std::tm& fields, char between) {
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday,
                     between, fields.tm_hour, fields.tm_min, fields.tm_sec);
}

}  // namespace

Result<WallNs> parse_time(std::string_view text, WallNs now_ns, TimeEdge edge) {
  if (text == "now") return now_ns;
  std::optional<ParsedTime> parsed = parse_fields(text);
  if (!parsed) return not_a_time(text);
  const int year = parsed->fields.tm_year + 1900;
  if (year < kYearMin || year > kYearMax)
    return Error(ErrorCode::kUsage, fmt::format("'{}' cannot be stored: the year must be {} or later, and below {}",
                                                text, kYearMin, kYearMax + 1));
  const bool end = edge == TimeEdge::kEnd;
  // A local day may have 23 or 25 hours.
  if (end && parsed->unit_ns == 0) ++parsed->fields.tm_mday;
  std::int64_t seconds = 0;
  if (parsed->zone_seconds) {
    seconds = ::timegm(&parsed->fields) - *parsed->zone_seconds;
  } else if (const auto local = local_seconds(parsed->fields, end && parsed->unit_ns > 0)) {
    seconds = *local;
  } else if (parsed->unit_ns > 0) {
    return Error(ErrorCode::kUsage,
                 fmt::format("there is no local time '{}': the clocks are set forward past it; give it with its zone, "
                             "as in 2026-11-20T02:00+01:00 or 2026-11-20T01:00Z",
                             text));
  } else {
    parsed->fields.tm_isdst = -1;
    seconds = ::mktime(&parsed->fields);  // a day whose beginning the clocks skip
  }
  const std::int64_t begin_ns = seconds * kNsPerSecond + parsed->fraction_ns;
  return end ? begin_ns + parsed->unit_ns - 1 : begin_ns;
}

Result<void> check_clock(std::time_t now) {
  if (now <= kClockSecondsMax) return {};
  std::tm fields{};
  ::gmtime_r(&now, &fields);
  return Error(ErrorCode::kUsage,
               fmt::format("the clock of this machine says {}Z, which cannot be stored: the year must be below {}. Set "
                           "the clock, and run this again",
                           format_fields(fields, 'T'), kYearMax + 1));
}

std::string format_time_local(WallNs time_ns) {
  const SplitTime time = split(time_ns);
  std::tm fields{};
  ::localtime_r(&time.seconds, &fields);
  const long minutes = std::labs(fields.tm_gmtoff) / 60;
  return fmt::format("{} {}{:02}:{:02}", format_fields(fields, ' '), fields.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
                     minutes % 60);
}

std::string format_time_utc(WallNs time_ns) {
  const SplitTime time = split(time_ns);
  std::tm fields{};
  ::gmtime_r(&time.seconds, &fields);
  return fmt::format("{}.{:09}Z", format_fields(fields, 'T'), time.fraction_ns);
}

std::string ago_text(WallNs then_ns, WallNs now_ns) {
  return format_duration(std::chrono::nanoseconds(std::max<WallNs>(now_ns - then_ns, 0))) + " ago";
}

}  // namespace drs
