#include "tools/output/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace drs {
namespace {

struct CodePoint {
  std::uint32_t value;
  std::size_t bytes;
};

// The code point that `text` begins with; nothing where the bytes are no UTF-8 (also: an overlong form, a surrogate).
std::optional<CodePoint> first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return CodePoint{lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return std::nullopt;
  std::uint32_t value = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
    value = value << 6 | (byte(i) & 0x3FU);
  }
  const std::uint32_t least = bytes == 2 ? 0x80 : bytes == 3 ? 0x800 : 0x10000;
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return std::nullopt;
  return CodePoint{value, bytes};
}

bool is_control(std::uint32_t value) {
  return value < 0x20 || (value >= 0x7F && value < 0xA0);
}

// Marks and overrides of the direction of writing, and the separators that some terminals take for a new line.
bool is_layout(std::uint32_t value) {
  return value == 0x061C || value == 0x200E || value == 0x200F || (value >= 0x2028 && value <= 0x202E) ||
         (value >= 0x2066 && value <= 0x2069) || value == 0xFEFF;
}

// `keep`: control characters that stay.
template <typename Escape>
std::string escaped(std::string_view text, std::string_view keep, const Escape& escape) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto point = first_code_point(text);
    const std::size_t bytes = point ? point->bytes : 1;
    const std::string_view piece = text.substr(0, bytes);
    const bool plain =
        point && !is_layout(point->value) && !(is_control(point->value) && keep.find(piece) == keep.npos);
    if (plain)
      out += piece;
    else
      out += escape(point ? point->value : static_cast<std::uint8_t>(text[0]));
    text.remove_prefix(bytes);
  }
  return out;
}

std::string text_escape(std::uint32_t value) {
  switch (value) {
    case '\n': return "\\n";
    case '\t': return "\\t";
    case '\r': return "\\r";
    default: return value < 0x100 ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{:04x}", value);
  }
}

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

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto point = first_code_point(text);
    if (!point) return false;
    text.remove_prefix(point->bytes);
  }
  return true;
}

std::string printable_lines(std::string_view text) {
  return escaped(text, "\n\t", text_escape);
}

std::string printable_value(std::string_view text) {
  return escaped(text, "", text_escape);
}

std::string printable_speech(std::string_view text) {
  return escaped(text, "\n\t\r", text_escape);
}

std::string printable_message(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::string lines = printable_lines(text);
  std::string out;
  for (const char c : lines) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

std::string printable_json(std::string_view text) {
  return escaped(text, "\n\t\r", [](std::uint32_t value) { return fmt::format("\\u{:04x}", value); });
}

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

std::string hide_url_credentials(std::string_view text) {
  const std::size_t scheme = text.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? text.size() : scheme + 3;
  const std::size_t colon = text.find(':', begin), at = text.rfind('@');
  // A secret may hold slashes. A prefix may hold ':' and '@'.
  if (colon == std::string_view::npos || colon > text.find('/', begin) || at == std::string_view::npos || at < colon)
    return std::string(text);
  return std::string(text.substr(0, begin)) + "[credentials]" + std::string(text.substr(at));
}

bool has_key_digits(std::string_view text) {
  return hide_key_digits(text) != text;
}

}  // namespace drs
