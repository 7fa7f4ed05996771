#include "tools/output/evidence_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "tools/output/quantity_text.h"

namespace drs {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kIdDigits = 32;
using Title = std::pair<std::string_view, std::string_view>;

constexpr std::array kTitles = {
    Title{"bytes", "Size"},
    Title{"seconds", "Duration"},
    Title{"id", "Snapshot"},
    Title{"to", "Restored to"},
    Title{"xxh3_128", "XXH3-128"},
    Title{"sha256", "SHA-256"},
    Title{"packs_bytes", "Size of packs"},
    Title{"read_bytes", "Data read"},
    Title{"decoded_bytes", "Data decoded"},
    Title{"rebuilt_bytes", "Data rebuilt"},
    Title{"written_bytes", "Data written"},
    Title{"rewritten_bytes", "Data stored anew"},
    Title{"stored_bytes", "Stored"},
    Title{"new_bytes", "New data"},
    Title{"first_offset_bytes", "First at byte"},
    Title{"offset_bytes", "At byte"},
    Title{"snapshot_count", "Snapshots"},
    Title{"unreadable_count", "Unreadable"},
    Title{"affected_count", "Ranges"},
    Title{"affected", "Affected ranges"},
    Title{"range_count", "Ranges"},
    Title{"newest_within_seconds", "Limit"},
    Title{"good_time", "Newest good"},
    Title{"is_too_new", "Too new"},
    Title{"is_removed", "Removed"},
    Title{"hit_streams", "Streams that are hit, and what is intact of them"},
    Title{"producer_unseen", "Snapshots with an unseen producer"},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "2026-11-20T02:00:05.123456789Z"
bool is_time_text(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00.000000000Z";
  return std::ranges::equal(text, kForm, [](char c, char form) { return form == '0' ? is_digit(c) : c == form; });
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

std::string grouped(std::string digits) {
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string number_text(std::string_view name, const Json& value) {
  const double number = value.get<double>();
  if (name.ends_with("offset_bytes")) return grouped(std::to_string(value.get<std::uint64_t>()));
  if (name.ends_with("bytes") && value.is_number_unsigned()) return format_size(value.get<std::uint64_t>());
  if (name.ends_with("seconds")) return format_duration(std::chrono::duration<double>(number));
  if (name.ends_with("_ns")) return format_duration(std::chrono::duration<double>(number / 1e9));
  if (name.ends_with("ratio")) return fmt::format("{:.1f} %", number * 100);
  return value.is_number_float() ? fmt::format("{:.3g}", number) : grouped(value.dump());
}

std::string first_text(const Json& object) {
  for (const Json& member : object)
    if (member.is_string()) return member.get<std::string>();
  return "";
}

std::string list_text(std::string_view name, const Json& list) {
  std::string out;
  for (const Json& one : list) {
    const std::string text = one.is_object() ? first_text(one) : field_text(name, one);
    if (!text.empty()) out += (out.empty() ? "" : "; ") + text;
  }
  return out;
}

}  // namespace

std::string field_title(std::string_view name) {
  const auto* const known = std::ranges::find(kTitles, name, &Title::first);
  if (known != kTitles.end()) return std::string(known->second);
  for (const std::string_view unit : {"_bytes", "_seconds", "_ns", "_count"})
    if (name.ends_with(unit)) {
      name.remove_suffix(unit.size());
      break;
    }
  std::string out(name);
  std::ranges::replace(out, '_', ' ');
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  return out;
}

std::string field_text(std::string_view name, const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number()) return number_text(name, value);
  if (value.is_array()) return list_text(name, value);
  if (!value.is_string()) return "";
  const std::string& text = value.get_ref<const std::string&>();
  return is_time_text(text) ? text.substr(0, 10) + " " + text.substr(11, 8) + " UTC" : text;
}

bool is_quantity(const Json& value) {
  return value.is_number();
}

bool is_identifier(const Json& value) {
  if (!value.is_string()) return false;
  const std::string_view text = value.get_ref<const std::string&>();
  return text.size() >= kIdDigits && is_hex(text.substr(text.size() - kIdDigits));
}

bool is_time(const Json& value) {
  return value.is_string() && is_time_text(value.get_ref<const std::string&>());
}

}  // namespace drs
