#include "tools/size_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace drs {
namespace {

struct Unit {
  std::string_view name;  // lower case
  double bytes;
};
constexpr std::array kUnits = {
    Unit{"", 1},         Unit{"b", 1},     Unit{"k", 0x1p10}, Unit{"kib", 0x1p10}, Unit{"kb", 1e3},  Unit{"m", 0x1p20},
    Unit{"mib", 0x1p20}, Unit{"mb", 1e6},  Unit{"g", 0x1p30}, Unit{"gib", 0x1p30}, Unit{"gb", 1e9},  Unit{"t", 0x1p40},
    Unit{"tib", 0x1p40}, Unit{"tb", 1e12}, Unit{"p", 0x1p50}, Unit{"pib", 0x1p50}, Unit{"pb", 1e15},
};

Error not_a_size(std::string_view text) {
  return {ErrorCode::kUsage,
          fmt::format("'{}' is not a size; accepted are bytes or a number with a unit, such as 4096, "
                      "64MiB, 1.5G (K, M, G, T, P count in 1024; KB, MB, GB, TB, PB in 1000)",
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
  std::string unit_name(at, end);
  for (char& c : unit_name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const Unit& unit : kUnits) {
    if (unit.name != unit_name) continue;
    const auto unit_bytes = static_cast<std::uint64_t>(unit.bytes);
    if (has_fraction && unit_bytes == 1) return not_a_size(text);
    const auto fraction_bytes = static_cast<std::uint64_t>(std::llround(fraction * unit.bytes));
    if (whole > (std::numeric_limits<std::uint64_t>::max() - fraction_bytes) / unit_bytes)
      return Error{ErrorCode::kUsage, fmt::format("'{}' is more than 16 EiB", text)};
    return whole * unit_bytes + fraction_bytes;
  }
  return not_a_size(text);
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

}  // namespace drs
