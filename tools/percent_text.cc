#include "tools/percent_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace drs {
namespace {

Error not_a_percentage(std::string_view text) {
  return {
      ErrorCode::kUsage,
      fmt::format("'{}' is not a percentage; accepted is a number from 0 to 1000000 with a percent sign, such as 10% "
                  "or 12.5%",
                  text)};
}

}  // namespace

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
