#include "sinks/s3/s3_address.h"

#include <algorithm>
#include <cctype>

#include "sinks/s3/uri_encoding.h"

namespace drs {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr std::size_t kBucketBytesMin = 3;
constexpr std::size_t kBucketBytesMax = 63;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Four numbers joined by dots.
bool is_ipv4(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
         std::count(text.begin(), text.end(), '.') == 3 && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, without the prefixes and suffixes that
// S3 reserves: names of access points have them.
bool is_bucket(std::string_view name) {
  return name.size() >= kBucketBytesMin && name.size() <= kBucketBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_lower_or_digit(c) || c == '.' || c == '-'; }) &&
         is_lower_or_digit(name.front()) && is_lower_or_digit(name.back()) &&
         name.find("..") == std::string_view::npos && !is_ipv4(name);
}

bool is_prefix_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && std::all_of(part.begin(), part.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != '\x7F' && c != '?' && c != '#';
  });
}

// The bytes of the UTF-8 character that `text` begins with; 0 where it begins with none.
std::size_t utf8_character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t count = lead < 0xC2 ? 0U : lead < 0xE0 ? 2U : lead < 0xF0 ? 3U : lead < 0xF5 ? 4U : 0U;
  for (std::size_t i = 1; i < count; ++i)
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  // Too long a form, a surrogate, or beyond the last character.
  const bool wrong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) >= 0xA0) ||
                     (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90);
  return wrong ? 0 : count;
}

// As keys must be: S3 refuses others, and they could not be named in XML.
bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = utf8_character_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

Error location_error(std::string_view problem) {
  return Error{ErrorCode::kUsage, std::string(problem) + ": give s3://bucket or s3://bucket/prefix"};
}

bool is_aws_host(std::string_view host) {
  return host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn") || host.ends_with(".amazonaws.eu");
}

}  // namespace

Result<S3Location> parse_s3_location(std::string_view url) {
  if (!url.starts_with(kScheme)) return location_error("'" + std::string(url) + "' is no place in S3");
  const std::string_view rest = url.substr(kScheme.size());
  const std::size_t bucket_bytes = std::min(rest.find('/'), rest.size());
  S3Location out;
  out.bucket = rest.substr(0, bucket_bytes);
  if (!is_bucket(out.bucket))
    return location_error("'" + out.bucket +
                          "' is no name of a bucket (3 to 63 of a-z, 0-9, '.' and '-', with a letter or digit at both "
                          "ends, no two dots in a row, and not an IP address)");
  std::string_view parts = rest.substr(bucket_bytes);
  if (!parts.empty()) parts.remove_prefix(1);
  if (parts.ends_with('/')) parts.remove_suffix(1);
  if (parts.empty()) return out;
  out.prefix = std::string(parts) + '/';
  if (out.prefix.size() > kS3PrefixBytesMax)
    return location_error("a prefix of " + std::to_string(parts.size()) + " bytes is too long (at most " +
                          std::to_string(kS3PrefixBytesMax - 1) + ")");
  if (!is_utf8(out.prefix)) return location_error("the prefix is not UTF-8");
  for (std::string_view left = out.prefix; !left.empty();) {
    const std::size_t part_bytes = left.find('/');
    if (!is_prefix_part(left.substr(0, part_bytes)))
      return location_error("the prefix '" + std::string(parts) +
                            "' has an empty part, \".\", \"..\", a control character, '?' or '#'");
    left.remove_prefix(part_bytes + 1);
  }
  return out;
}

Result<S3Address> S3Address::make(S3Location location, const S3AddressOptions& options) {
  DRS_RETURN_IF_ERROR(check_aws_region(options.region));
  Endpoint endpoint;
  if (options.endpoint.empty()) {
    endpoint.host = "s3." + options.region + '.' + std::string(aws_domain(options.region));
    endpoint.authority = endpoint.host;
  } else {
    DRS_ASSIGN_OR_RETURN(endpoint, parse_endpoint(options.endpoint, "the endpoint of S3"));
  }

  const bool aws = options.endpoint.empty() || is_aws_host(endpoint.host);
  const bool outside_certificate = endpoint.https && location.bucket.find('.') != std::string::npos;
  S3Address out;
  out.style_ = options.style.value_or(aws && !outside_certificate ? S3Style::kVirtualHosted : S3Style::kPath);
  out.https_ = endpoint.https;
  out.region_ = options.region;
  if (out.style_ == S3Style::kVirtualHosted) {
    if (endpoint.host.starts_with('[') || is_ipv4(endpoint.host))
      return Error{ErrorCode::kUsage, "virtual-hosted addresses need a host with a name, and '" + endpoint.host +
                                          "' is an IP address: use path style"};
    out.authority_ = location.bucket + '.' + endpoint.authority;
    out.bucket_path_ = endpoint.path.empty() ? "/" : endpoint.path;
    out.object_base_ = endpoint.path + '/';
  } else {
    out.authority_ = endpoint.authority;
    out.bucket_path_ = endpoint.path + '/' + location.bucket;
    out.object_base_ = out.bucket_path_ + '/';
  }
  out.object_base_ += uri_encode_path(location.prefix);
  out.location_ = std::move(location);
  return out;
}

std::string S3Address::object_path(std::string_view key) const {
  return object_base_ + uri_encode_path(key);
}

std::string S3Address::url(std::string_view path, std::string_view query) const {
  std::string out = https_ ? "https://" : "http://";
  out += authority_;
  out += path;
  if (!query.empty()) {
    out += '?';
    out += query;
  }
  return out;
}

std::optional<std::string_view> S3Address::own_key(std::string_view full_key) const {
  if (!full_key.starts_with(location_.prefix)) return std::nullopt;
  return full_key.substr(location_.prefix.size());
}

std::string S3Address::name_for_messages() const {
  std::string out = std::string(kScheme) + location_.bucket;
  if (!location_.prefix.empty()) out += '/' + location_.prefix.substr(0, location_.prefix.size() - 1);
  return out;
}

}  // namespace drs
