#include "tools/key_digits.h"

#include <algorithm>

namespace drs {
namespace {

constexpr std::size_t kKeyDigits = 64;
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
constexpr std::string_view kInstead = "(64 hex digits, not shown)";

// Names of objects are digests: packs/3f/3f..., index/..., damaged/...-...
bool names_an_object(std::string_view before, std::string_view digits) {
  if (digits.size() != kKeyDigits) return false;
  const std::string pack = "packs/" + std::string(digits.substr(0, 2)) + "/";
  return before.ends_with(pack) || before.ends_with("index/") || before.ends_with("damaged/");
}

}  // namespace

std::string hide_key_digits(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of(kHexDigits), text.size());
    const std::string_view run = text.substr(0, digits);
    out += digits < kKeyDigits || names_an_object(out, run) ? run : kInstead;
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
