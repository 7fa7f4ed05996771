#include "sinks/s3/aws_endpoint.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace drs {
namespace {

constexpr std::size_t kRegionLengthMax = 63;  // a part of a host name

struct Partition {
  std::string_view region_prefix;
  std::string_view domain;
};

// As in botocore's partitions.json; every other region is in "aws" or "aws-us-gov", which share a domain.
constexpr Partition kPartitions[] = {
    {"cn-", "amazonaws.com.cn"},   {"eusc-", "amazonaws.eu"},      {"us-iso-", "c2s.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov"}, {"eu-isoe-", "cloud.adc-e.uk"}, {"us-isof-", "csp.hci.ic.gov"},
};

bool is_host_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
}
bool is_ipv6_character(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
}
// What is the same encoded and not, so that the path that is sent is the path that is signed.
bool is_path_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-._~/").find(c) != std::string_view::npos;
}

// The length of the host at the start of `text`, or none.
std::optional<std::size_t> host_length(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return std::nullopt;
    const std::string_view address = text.substr(1, end - 1);
    if (!std::all_of(address.begin(), address.end(), is_ipv6_character)) return std::nullopt;
    return end + 1;
  }
  const auto end = std::find_if_not(text.begin(), text.end(), is_host_character);
  const auto length = static_cast<std::size_t>(end - text.begin());
  return length == 0 || text.front() == '.' ? std::nullopt : std::optional(length);
}

std::optional<Endpoint> split(std::string_view url) {
  Endpoint out;
  if (url.starts_with("http://")) {
    out.https = false;
  } else if (!url.starts_with("https://")) {
    return std::nullopt;
  }
  std::string_view rest = url.substr(url.find("//") + 2);
  const std::optional<std::size_t> length = host_length(rest);
  if (!length) return std::nullopt;
  out.host = rest.substr(0, *length);
  std::transform(out.host.begin(), out.host.end(), out.host.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  out.authority = out.host;
  rest.remove_prefix(*length);
  if (rest.starts_with(':')) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
    if (error != std::errc() || port == 0 || port > 65535) return std::nullopt;
    if (port != (out.https ? 443U : 80U)) out.authority += ':' + std::to_string(port);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  if (!rest.empty() && rest.front() != '/') return std::nullopt;
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (!std::all_of(rest.begin(), rest.end(), is_path_character)) return std::nullopt;
  out.path = rest;
  return out;
}

}  // namespace

Result<void> check_aws_region(std::string_view region) {
  const bool good = !region.empty() && region.size() <= kRegionLengthMax &&
                    std::all_of(region.begin(), region.end(),
                                [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }) &&
                    region.front() != '-' && region.back() != '-';
  if (good) return {};
  return Error{ErrorCode::kUsage,
               "'" + std::string(region) + "' is no region: a name such as eu-central-1, of a-z, 0-9 and '-'"};
}

std::string_view aws_domain(std::string_view region) {
  for (const Partition& partition : kPartitions)
    if (region.starts_with(partition.region_prefix)) return partition.domain;
  return "amazonaws.com";
}

Result<Endpoint> parse_endpoint(std::string_view url, std::string_view what) {
  if (std::optional<Endpoint> endpoint = split(url)) return *std::move(endpoint);
  // Not repeated: a password may stand in it ("https://user:password@host").
  return Error{ErrorCode::kUsage, std::string(what) +
                                      " is no endpoint: give https://host[:port][/path] or http://host[:port][/path], "
                                      "the path of A-Z a-z 0-9 - . _ ~ and '/'"};
}

}  // namespace drs
