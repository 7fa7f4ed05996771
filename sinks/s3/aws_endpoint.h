// Where the services of AWS answer: the domain of a region, and the shape of an endpoint that an operator gives
// instead.
#pragma once

#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

// Errors: kUsage for what cannot be a region: they are made of a-z, 0-9 and '-', and become part of host names.
Result<void> check_aws_region(std::string_view region);

// "amazonaws.com", "amazonaws.com.cn" for cn-*, and so on for each partition. Any region.
std::string_view aws_domain(std::string_view region);

// A URL of scheme, host and maybe a path, taken apart. Nothing in it is encoded or decoded.
struct Endpoint {
  bool https = true;
  std::string host;       // lower case; "[::1]" for IPv6
  std::string authority;  // the host, and ":port" where it is not the scheme's own: just what Host says
  std::string path;       // empty, or "/..." without a '/' at the end

  [[nodiscard]] std::string url() const { return (https ? "https://" : "http://") + authority + path; }
};

// "https://host[:port][/path]". Errors: kUsage, saying what is accepted; `what` is where the URL comes from.
Result<Endpoint> parse_endpoint(std::string_view url, std::string_view what);

}  // namespace drs
