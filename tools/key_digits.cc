#include "tools/key_digits.h"

#include <algorithm>

namespace drs {
namespace {

constexpr std::size_t kKeyDigits = 64;
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
constexpr std::string_view kInstead = "(64 hex digits, not shown)";

}  // namespace

std::string hide_key_digits(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of(kHexDigits), text.size());
    out += digits < kKeyDigits ? text.substr(0, digits) : kInstead;
    text.remove_prefix(digits);
    const std::size_t others = std::min(text.find_first_of(kHexDigits), text.size());
    out += text.substr(0, others);
    text.remove_prefix(others);
  }
  return out;
}

bool has_key_digits(std::string_view text) {
  return hide_key_digits(text) != text;
}

}  // namespace drs
