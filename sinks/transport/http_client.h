// HTTP requests, many at once, over libcurl's multi interface: HTTP/1.1, keep-alive, no `Expect`, bodies sent from and
// received into the memory of the caller. No retries and no redirects: the caller interprets the answers.
//
// Threads: one thread uses an instance. Memory: kHttpTransferBytes for each transfer in flight (libcurl's own buffers),
// besides the memory of the caller.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/cancel.h"
#include "io/base/result.h"
#include "sinks/transport/http_message.h"
#include "sinks/transport/rate_limit.h"
#include "sinks/transport/transfer_watch.h"

namespace drs {

// One request and its answer. Belongs to the client from `start` until it runs `done`.
struct HttpTransfer {
  std::string method;
  std::string url;
  std::vector<HttpHeader> headers;
  std::vector<ByteView> body;  // sent end to end; borrowed until done
  // Receives the body of an answer below status 300. Empty: that goes into `text`, as the body of every other answer.
  MutableByteView destination;
  std::size_t text_bytes_max = 64 * kKiB;  // a longer text is an error; after an error status it is truncated
  // For a request for a part of an object: the offset of the part. If a server ignores the header Range and answers 200
  // with the whole object, the client takes the part out of it and closes the connection after the part.
  std::optional<std::uint64_t> part_begin_bytes;
  std::chrono::milliseconds deadline{0};   // for the whole transfer; 0: only the limits on silence
  std::chrono::milliseconds quiet_max{0};  // a shorter limit on silence than the client's; 0: the client's
  bool bypass_proxy = false;               // connect to the host directly, despite proxies in the environment
  bool wants_tls = false;                  // fill in tls_version and certificate_expires_ns

  int status = 0;                          // of HTTP; 0 without an answer
  std::vector<HttpHeader> answer_headers;  // names in lower case
  std::string text;                        // that of an error never holds credentials of the request (foreign_text.h)
  std::size_t received_bytes = 0;          // into `destination`
  // With `error`: how long neither the connection nor a byte had moved.
  std::chrono::milliseconds quiet_for{0};
  std::string tls_version;  // "TLSv1.3"; empty without TLS
  std::optional<std::int64_t> certificate_expires_ns;
  // libcurl sent the body again by itself, since a kept connection was closed without an answer. The server may have
  // carried out the first request.
  bool sent_again = false;
  // There was no complete answer. kUnavailable: the name did not resolve, no connection, reset, stalled, truncated, or
  // more bytes than `destination` or `text` may hold; whether the server carried out the request is unknown.
  // kCancelled: likewise. kUsage: the URL is malformed, or the certificate of the server is not trusted.
  std::optional<Error> error;
  // With `error`: the head was complete, with `status`, and the connection ended within the body.
  bool cut_short = false;

  void (*done)(HttpTransfer&) = nullptr;
  void* owner = nullptr;  // the caller's own

  // The value of a header of the answer, by its name in lower case; empty if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

inline constexpr std::size_t kHttpUploadBufferBytes = 512 * kKiB;
inline constexpr std::size_t kHttpReceiveBufferBytes = 64 * kKiB;
inline constexpr std::size_t kHttpTransferBytes = kHttpUploadBufferBytes + kHttpReceiveBufferBytes + 64 * kKiB;

struct HttpClientOptions {
  std::string ca_file;  // PEM, instead of the system's; empty: the system's
  std::chrono::milliseconds connect_timeout{10'000};
  QuietLimits quiet = {};  // a transfer that is silent for longer is given up
  // Shared with other clients; none: no limit. They count bodies, not headers.
  std::shared_ptr<RateLimit> upload_limit = {};
  std::shared_ptr<RateLimit> download_limit = {};
  // Borrowed. Once cancelled, `perform` and `fetch` end at once with kCancelled.
  CancelToken* cancel = nullptr;
};

class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> make(HttpClientOptions options);
  ~HttpClient();  // gives up transfers in flight without running `done`
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void start(HttpTransfer& transfer);
  // Ends a transfer in flight; its `done` does not run.
  void give_up(HttpTransfer& transfer);
  // Advances transfers; if none is done, waits up to `wait` for one. Returns how many were done. `done` may start
  // further transfers.
  std::size_t run(std::chrono::milliseconds wait);
  // From any thread: a `run` that waits returns soon.
  void wake();
  [[nodiscard]] std::size_t in_flight() const;
  // Starts a transfer and runs until it is done. Other transfers advance meanwhile.
  void perform(HttpTransfer& transfer);
  Result<HttpResponse> fetch(const HttpRequest& request);
  // `fetch` as a function, valid while this client lives.
  [[nodiscard]] HttpFetch fetcher() {
    return [this](const HttpRequest& request) { return fetch(request); };
  }

 private:
  class Curl;
  explicit HttpClient(std::unique_ptr<Curl> curl);
  std::unique_ptr<Curl> curl_;
};

// "Sun, 06 Nov 1994 08:49:37 GMT" in nanoseconds since 1970; none for text that is not a date.
std::optional<std::int64_t> parse_http_date(std::string_view text);

// The delay that a server asks for with Retry-After, in seconds or as a date (by the clock of the server, if it sends
// its time). None for a value that cannot be read, 0 for a time that has passed.
std::optional<std::chrono::seconds> parse_retry_after(const HttpTransfer& answer, std::int64_t wall_ns);

// "libcurl/7.88.1 OpenSSL/3.0.15"
std::string http_library_versions();

}  // namespace drs
