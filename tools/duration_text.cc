#include "tools/duration_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace drs {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array kUnits = {
    Unit{"ms", 1},        Unit{"s", 1'000},      Unit{"m", 60'000},         Unit{"min", 60'000},
    Unit{"h", 3'600'000}, Unit{"d", 86'400'000}, Unit{"w", 7 * 86'400'000},
};
constexpr std::int64_t kMillisecondsMax = std::int64_t{100} * 365 * 86'400'000;  // a century

Error not_a_duration(std::string_view text) {
  return {ErrorCode::kUsage,
          fmt::format("'{}' is not a duration; accepted are numbers with a unit, such as 30s, 5m, 2h, 1d, 1h30m, 500ms "
                      "(ms, s, m, h, d, w; without a unit: seconds), up to 100 years",
                      text)};
}

}  // namespace

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
    for (const Unit& unit : kUnits)
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

}  // namespace drs
