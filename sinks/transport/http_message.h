// One HTTP exchange held in memory, for the search for credentials and other small calls. The caller passes in the
// HttpFetch that carries it out, so tests need no network.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

struct HttpHeader {
  std::string name;  // in any case
  std::string value;
  friend bool operator==(const HttpHeader&, const HttpHeader&) = default;
};

// Bodies are SecretBytes because credentials travel in them.
struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<HttpHeader> headers;  // without Host and Content-Length
  SecretBytes body;
  std::chrono::milliseconds timeout{10'000};  // for the whole exchange
  std::size_t response_bytes_max = 1 * kMiB;  // of the body of the answer
  bool bypass_proxy = false;                  // connect to the host directly, despite proxies in the environment
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;
  SecretBytes body;
};

// Carries out one exchange, blocking, without following redirects. Any status is a response. Errors: kUnavailable if
// there was no response (no connection, name not resolved, timeout, answer too long); kCancelled. The text of an error
// holds no header and no body.
using HttpFetch = std::function<Result<HttpResponse>(const HttpRequest&)>;

}  // namespace drs
