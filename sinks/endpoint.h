// The shape of an address at which a service answers: a URL of scheme, host and maybe a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

// Taken apart. Nothing in it is encoded or decoded.
struct Endpoint {
  bool https = true;
  std::string host;       // lower case; "[::1]" for IPv6
  std::string authority;  // the host, and ":port" where it is not the scheme's own: just what Host says
  std::string path;       // empty, or "/..." without a '/' at the end

  // scheme://authority, then `to_path`, then '?' and `query` unless it is empty; all as they are sent.
  [[nodiscard]] std::string url_to(std::string_view to_path, std::string_view query) const;
  [[nodiscard]] std::string url() const { return (https ? "https://" : "http://") + authority + path; }
};

// "https://host[:port][/path]". Errors: kUsage, saying what is accepted; `what` is where the URL comes from.
Result<Endpoint> parse_endpoint(std::string_view url, std::string_view what);

// The scheme and host of any URL, whatever stands behind them; none for what is no URL of http or https.
std::optional<Endpoint> endpoint_of_url(std::string_view url);

// Whether the host is this machine: localhost, 127.0.0.0/8, [::1].
bool is_loopback(const Endpoint& endpoint);

}  // namespace drs
