// One HTTP exchange held in memory: what looking for credentials and other small calls need. The HttpFetch that carries
// it out is passed in, so that tests answer without a network.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

struct HttpHeader {
  std::string name;  // of any case
  std::string value;
  friend bool operator==(const HttpHeader&, const HttpHeader&) = default;
};

// Bodies are SecretBytes because credentials travel in them.
struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<HttpHeader> headers;  // without Host and Content-Length
  SecretBytes body;
  std::chrono::milliseconds timeout{10'000};  // of the whole exchange
  std::size_t response_bytes_max = 1 * kMiB;  // of the body of the answer
  bool bypass_proxy = false;                  // ask the host itself, whatever the environment says about proxies
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;
  SecretBytes body;
};

// Carries out one exchange, blocking, without following redirects. Any status is a response; the error is kUnavailable
// when there was none: no connection, no name, time over, an answer longer than allowed; or kCancelled. Its text names
// no header and no body.
using HttpFetch = std::function<Result<HttpResponse>(const HttpRequest&)>;

}  // namespace drs
