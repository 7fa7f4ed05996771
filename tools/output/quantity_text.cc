#include "tools/output/quantity_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "io/base/ascii.h"

namespace drs {
namespace {

struct SizeUnit {
  std::string_view name;  // lower case
  double bytes;
};
constexpr std::array kSizeUnits = {
    SizeUnit{"", 1},         SizeUnit{"b", 1},        SizeUnit{"k", 0x1p10},   SizeUnit{"kib", 0x1p10},
    SizeUnit{"kb", 1e3},     SizeUnit{"m", 0x1p20},   SizeUnit{"mib", 0x1p20}, SizeUnit{"mb", 1e6},
    SizeUnit{"g", 0x1p30},   SizeUnit{"gib", 0x1p30}, SizeUnit{"gb", 1e9},     SizeUnit{"t", 0x1p40},
    SizeUnit{"tib", 0x1p40}, SizeUnit{"tb", 1e12},    SizeUnit{"p", 0x1p50},   SizeUnit{"pib", 0x1p50},
    SizeUnit{"pb", 1e15},
};

Error not_a_size(std::string_view text) {
  return {ErrorCode::kUsage,
          fmt::format("'{}' is not a size; accepted are bytes or a number with a unit, such as 4096, "
                      "64MiB, 1.5G (K, M, G, T, P count in 1024; KB, MB, GB, TB, PB in 1000)",
                      text)};
}

struct DurationUnit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array kDurationUnits = {
    DurationUnit{"ms", 1},
    DurationUnit{"s", 1'000},
    DurationUnit{"m", 60'000},
    DurationUnit{"min", 60'000},
    DurationUnit{"h", 3'600'000},
    DurationUnit{"d", 86'400'000},
    DurationUnit{"w", 7 * 86'400'000},
};
constexpr std::int64_t kMillisecondsMax = std::int64_t{100} * 365 * 86'400'000;  // a century

Error not_a_duration(std::string_view text) {
  return {ErrorCode::kUsage,
          fmt::format("'{}' is not a duration; accepted are numbers with a unit, such as 30s, 5m, 2h, 1d, 1h30m, 500ms "
                      "(ms, s, m, h, d, w; without a unit: seconds), up to 100 years",
                      text)};
}

Error not_a_span(std::string_view text) {
  return {
      ErrorCode::kUsage,
      fmt::format("'{}' is not a span of time; accepted are numbers of years, months, weeks, days and hours, such as "
                  "30d, 1y6m, 2y5m7d3h (m is months), each at most {}",
                  text, kCalendarSpanMax)};
}

Error not_a_percentage(std::string_view text) {
  return {
      ErrorCode::kUsage,
      fmt::format("'{}' is not a percentage; accepted is a number from 0 to 1000000 with a percent sign, such as 10% "
                  "or 12.5%",
                  text)};
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t whole = 0;
  const char* const end = text.data() + text.size();
  const auto [after_whole, error] = std::from_chars(text.data(), end, whole);
  if (error != std::errc{}) return not_a_size(text);
  double fraction = 0;
  const char* at = after_whole;
  bool has_fraction = false;
  if (at != end && *at == '.') {
    double digit_value = 0.1;
    for (++at; at != end && *at >= '0' && *at <= '9'; ++at, digit_value /= 10) {
      fraction += (*at - '0') * digit_value;
      has_fraction = true;
    }
    if (!has_fraction) return not_a_size(text);
  }
  if (at != end && *at == ' ' && at + 1 != end) ++at;
  const std::string unit_name = ascii_lower(std::string_view(at, end));
  for (const SizeUnit& unit : kSizeUnits) {
    if (unit.name != unit_name) continue;
    const auto unit_bytes = static_cast<std::uint64_t>(unit.bytes);
    if (has_fraction && unit_bytes == 1) return not_a_size(text);
    const auto fraction_bytes = static_cast<std::uint64_t>(std::llround(fraction * unit.bytes));
    if (whole > (std::numeric_limits<std::uint64_t>::max() - fraction_bytes) / unit_bytes)
      return Error(ErrorCode::kUsage, fmt::format("'{}' is more than 16 EiB", text));
    return whole * unit_bytes + fraction_bytes;
  }
  return not_a_size(text);
}

Result<Budget> parse_budget(std::string_view text) {
  const auto time = parse_duration(text);
  const auto bytes = parse_size(text);
  const bool has_unit = text.find_first_not_of("0123456789.") != std::string_view::npos;
  if (has_unit && time.ok() && time->count() > 0) return Budget{std::nullopt, *time};
  if (has_unit && !text.ends_with('M') && bytes.ok() && *bytes > 0) return Budget{*bytes, std::nullopt};
  return Error(ErrorCode::kUsage,
               fmt::format("'{}' is no budget: give a size with its unit, such as 500MiB or 200GiB, or a time, such as "
                           "45m or 2h",
                           text));
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> kNames = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 1023.95 and above would print as "1024".
  while (value >= 1023.95 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::string digits = fmt::format("{:.{}f}", value, value >= 99.95 && value < 1000 ? 1 : decimals);
  if (digits.find('.') != std::string::npos) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  return fmt::format("{} {}", digits, kNames[unit]);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text.empty()) return not_a_duration(text);
  std::int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view rest_before = rest;
    std::uint64_t number = 0;
    const auto [after, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc{}) return not_a_duration(text);
    rest.remove_prefix(static_cast<std::size_t>(after - rest.data()));
    const std::size_t unit_bytes = std::min(rest.find_first_of("0123456789"), rest.size());
    const std::string_view unit_name = rest.substr(0, unit_bytes);
    std::int64_t unit_milliseconds = 0;
    const bool is_bare = after == text.data() + text.size() && rest_before.size() == text.size();
    if (is_bare) unit_milliseconds = 1'000;
    for (const DurationUnit& unit : kDurationUnits)
      if (unit.name == unit_name) unit_milliseconds = unit.milliseconds;
    if (unit_milliseconds == 0) return not_a_duration(text);
    if (number > static_cast<std::uint64_t>(kMillisecondsMax / unit_milliseconds)) return not_a_duration(text);
    total += static_cast<std::int64_t>(number) * unit_milliseconds;
    if (total > kMillisecondsMax) return not_a_duration(text);
    rest.remove_prefix(unit_bytes);
  }
  return std::chrono::milliseconds(total);
}

std::string format_duration(std::chrono::duration<double> duration) {
  const double seconds = std::max(duration.count(), 0.0);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  if (seconds > 1e12) return "forever";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3'600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86'400) return fmt::format("{} h {:02} min", whole / 3'600, whole / 60 % 60);
  return fmt::format("{} d {:02} h", whole / 86'400, whole / 3'600 % 24);
}

Result<CalendarSpan> parse_calendar_span(std::string_view text) {
  CalendarSpan span;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::int32_t number = 0;
    const auto [after, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    rest.remove_prefix(static_cast<std::size_t>(after - rest.data()));
    const bool is_good = error == std::errc{} && number >= 0 && number <= kCalendarSpanMax && !rest.empty();
    const bool is_again = is_good && text.substr(0, text.size() - rest.size()).find(rest.front()) != text.npos;
    if (!is_good || is_again) return not_a_span(text);
    switch (rest.front()) {
      case 'y': span.years = number; break;
      case 'm': span.months = number; break;
      case 'w': span.days += 7 * number; break;
      case 'd': span.days += number; break;
      case 'h': span.hours = number; break;
      default: return not_a_span(text);
    }
    rest.remove_prefix(1);
  }
  if (span.is_zero() || span.days > kCalendarSpanMax) return not_a_span(text);
  return span;
}

std::string format_calendar_span(const CalendarSpan& span) {
  std::string out;
  for (const auto& [number, unit] :
       {std::pair{span.years, 'y'}, {span.months, 'm'}, {span.days, 'd'}, {span.hours, 'h'}})
    if (number != 0) out += fmt::format("{}{}", number, unit);
  return out;
}

Result<double> parse_percent(std::string_view text) {
  std::string_view number = text;
  if (number.empty() || number.back() != '%') return not_a_percentage(text);
  number.remove_suffix(1);
  if (!number.empty() && number.back() == ' ') number.remove_suffix(1);
  double value = 0;
  const char* const end = number.data() + number.size();
  const auto [after, error] = std::from_chars(number.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{} || after != end || !std::isfinite(value) || value < 0 || value > 1e6)
    return not_a_percentage(text);
  return value / 100;
}

std::string format_percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  // 99.96 must not read as all of it, nor 0.04 as nothing.
  if (part < whole && percent > 99.9) return "99.9 %";
  if (part > 0 && percent < 0.1) return "0.1 %";
  if (percent == std::floor(percent)) return fmt::format("{:.0f} %", percent);
  return fmt::format("{:.1f} %", percent);
}

}  // namespace drs
