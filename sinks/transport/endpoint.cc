#include "sinks/transport/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "io/base/ascii.h"
#include "io/base/bytes.h"

namespace drs {
namespace {

bool is_host_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
}
bool is_ipv6_character(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
}
// Characters that encoding leaves unchanged, so the path that is sent is the path that is signed.
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
  out.host = ascii_lower(rest.substr(0, *length));
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

std::string Endpoint::url_to(std::string_view to_path, std::string_view query) const {
  std::string out = https ? "https://" : "http://";
  out += authority;
  out += to_path;
  if (!query.empty()) {
    out += '?';
    out += query;
  }
  return out;
}

Result<Endpoint> parse_endpoint(std::string_view url, std::string_view what) {
  if (std::optional<Endpoint> endpoint = split(url)) return *std::move(endpoint);
  // The message does not repeat the URL, which may hold a password ("https://user:password@host").
  return Error(ErrorCode::kUsage, std::string(what) +
                                      " is no endpoint: give https://host[:port][/path] or http://host[:port][/path], "
                                      "the path of A-Z a-z 0-9 - . _ ~ and '/'");
}

std::optional<Endpoint> endpoint_of_url(std::string_view url) {
  if (!std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c <= '~' && c != '\\'; }))
    return std::nullopt;
  const std::size_t mark = url.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  return split(url.substr(0, url.find_first_of("/?#", mark + 3)));
}

bool is_loopback(const Endpoint& endpoint) {
  const std::string& host = endpoint.host;
  if (host == "localhost") return true;
  std::array<Byte, 16> address{};
  if (inet_pton(AF_INET, host.c_str(), address.data()) == 1) return address[0] == 127;
  if (!host.starts_with('[')) return false;
  const bool parsed = inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), address.data()) == 1;
  constexpr std::array<Byte, 16> kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return parsed && address == kLoopback;
}

}  // namespace drs
