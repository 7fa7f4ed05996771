// The address of a service: a URL of scheme, host and optional path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/base/result.h"

namespace drs {

// A parsed URL. Nothing in it is encoded or decoded.
struct Endpoint {
  bool https = true;
  std::string host;       // lower case; "[::1]" for IPv6
  std::string authority;  // the host, and ":port" unless it is the default of the scheme; the value of the header Host
  std::string path;       // empty, or "/..." without a '/' at the end

  // scheme://authority, then `to_path`, then '?' and `query` unless it is empty. The arguments are already encoded.
  [[nodiscard]] std::string url_to(std::string_view to_path, std::string_view query) const;
  [[nodiscard]] std::string url() const { return (https ? "https://" : "http://") + authority + path; }
};

// "https://host[:port][/path]". Errors: kUsage, saying what is accepted; `what` is where the URL comes from.
Result<Endpoint> parse_endpoint(std::string_view url, std::string_view what);

// The scheme and host of any URL, whatever follows them; none for text that is not an http or https URL.
std::optional<Endpoint> endpoint_of_url(std::string_view url);

// Whether the host is this machine: localhost, 127.0.0.0/8, [::1].
bool is_loopback(const Endpoint& endpoint);

}  // namespace drs
