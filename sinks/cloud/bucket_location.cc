#include "sinks/cloud/bucket_location.h"

#include <algorithm>

namespace drs {
namespace {

bool is_prefix_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && std::all_of(part.begin(), part.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != '\x7F' && c != '?' && c != '#';
  });
}

// The length of the UTF-8 character at the beginning of `text`; 0 if there is none.
std::size_t utf8_character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t count = lead < 0xC2 ? 0U : lead < 0xE0 ? 2U : lead < 0xF0 ? 3U : lead < 0xF5 ? 4U : 0U;
  for (std::size_t i = 1; i < count; ++i)
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  // An overlong form, a surrogate, or beyond the last character.
  const bool wrong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) >= 0xA0) ||
                     (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90);
  return wrong ? 0 : count;
}

// Keys must be UTF-8: stores refuse others, and XML and JSON cannot hold them.
bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = utf8_character_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_ipv4_form(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
         std::count(text.begin(), text.end(), '.') == 3 && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos;
}

Result<BucketLocation> parse_bucket_location(std::string_view url, const BucketNaming& naming) {
  const auto wrong = [&](const std::string& problem) {
    const std::string bucket = std::string(naming.scheme) + "bucket";
    return Error(ErrorCode::kUsage, problem + ": give " + bucket + " or " + bucket + "/prefix");
  };
  if (!url.starts_with(naming.scheme))
    return wrong("'" + std::string(url) + "' is no place in " + std::string(naming.service));
  const std::string_view rest = url.substr(naming.scheme.size());
  const std::size_t bucket_bytes = std::min(rest.find('/'), rest.size());
  BucketLocation out;
  out.bucket = rest.substr(0, bucket_bytes);
  if (!naming.is_bucket(out.bucket))
    return wrong("'" + out.bucket + "' is no name of a bucket (" + std::string(naming.rule) + ")");
  std::string_view parts = rest.substr(bucket_bytes);
  if (!parts.empty()) parts.remove_prefix(1);
  if (parts.ends_with('/')) parts.remove_suffix(1);
  if (parts.empty()) return out;
  out.prefix = std::string(parts) + '/';
  if (out.prefix.size() > kBucketPrefixBytesMax)
    return wrong("a prefix of " + std::to_string(parts.size()) + " bytes is too long (at most " +
                 std::to_string(kBucketPrefixBytesMax - 1) + ")");
  if (!is_utf8(out.prefix)) return wrong("the prefix is not UTF-8");
  for (std::string_view left = out.prefix; !left.empty();) {
    const std::size_t part_bytes = left.find('/');
    if (!is_prefix_part(left.substr(0, part_bytes)))
      return wrong("the prefix '" + std::string(parts) +
                   "' has an empty part, \".\", \"..\", a control character, '?' or '#'");
    left.remove_prefix(part_bytes + 1);
  }
  return out;
}

std::optional<std::string_view> own_key(const BucketLocation& location, std::string_view full_key) {
  if (!full_key.starts_with(location.prefix)) return std::nullopt;
  return full_key.substr(location.prefix.size());
}

std::string bucket_location_text(const BucketLocation& location, const BucketNaming& naming) {
  std::string out = std::string(naming.scheme) + location.bucket;
  if (!location.prefix.empty()) out += '/' + location.prefix.substr(0, location.prefix.size() - 1);
  return out;
}

}  // namespace drs
