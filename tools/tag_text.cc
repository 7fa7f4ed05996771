#include "tools/tag_text.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace drs {
namespace {

constexpr std::size_t kTagValueBytesMax = 1000;
constexpr std::size_t kTagKeyBytesMax = 100;

bool is_good_key(std::string_view key) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !key.empty() && key.size() <= kTagKeyBytesMax && key.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool is_good_value(std::string_view value) {
  if (value.size() > kTagValueBytesMax) return false;
  for (const char c : value)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  return true;
}

}  // namespace

Result<std::map<std::string, std::string>> parse_tags(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> tags;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (equals == std::string::npos || !is_good_key(key) || !is_good_value(value))
      return Error{ErrorCode::kUsage,
                   fmt::format("'{}' is not a tag; accepted is KEY=VALUE with a key of A-Z a-z 0-9 . _ -, such as "
                               "env=production",
                               text)};
    if (!tags.emplace(key, value).second)
      return Error{ErrorCode::kUsage, fmt::format("the tag '{}' is given twice", key)};
  }
  return tags;
}

Result<TagFilter> parse_tag_filter(const std::vector<std::string>& texts) {
  TagFilter filter;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = text.substr(equals + 1);
    if (!is_good_key(key) || (value && !is_good_value(*value)))
      return Error{ErrorCode::kUsage,
                   fmt::format("'{}' selects no tag; accepted is KEY=VALUE, or KEY for any value of it, with a key of "
                               "A-Z a-z 0-9 . _ -, such as env=production or env",
                               text)};
    if (!filter.emplace(key, std::move(value)).second)
      return Error{ErrorCode::kUsage, fmt::format("the tag '{}' is given twice", key)};
  }
  return filter;
}

bool has_tags(const std::map<std::string, std::string>& tags, const TagFilter& wanted) {
  for (const auto& [key, value] : wanted) {
    const auto found = tags.find(key);
    if (found == tags.end() || (value && found->second != *value)) return false;
  }
  return true;
}

std::string format_tags(const std::map<std::string, std::string>& tags) {
  std::string out;
  for (const auto& [key, value] : tags) out += (out.empty() ? "" : " ") + key + "=" + value;
  return out;
}

}  // namespace drs
