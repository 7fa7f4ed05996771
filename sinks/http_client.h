// HTTP requests, many at once, over libcurl's multi interface: HTTP/1.1, keep-alive, no `Expect`, bodies sent from
// where they lie and received where they shall lie. No retries and no redirects: what an answer means is the caller's
// to say.
//
// Threads: one thread uses an instance. Memory: kHttpTransferBytes for each transfer
// that runs at once (libcurl's own buffers), beside what the caller brings.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/bytes.h"
#include "io/cancel.h"
#include "io/result.h"
#include "sinks/http_message.h"
#include "sinks/rate_limit.h"
#include "sinks/transfer_watch.h"

namespace drs {

// One request and its answer. The client's from `start` until it runs `done`.
struct HttpTransfer {
  std::string method;
  std::string url;
  std::vector<HttpHeader> headers;
  std::vector<ByteView> body;  // sent end to end; borrowed until done
  // Where the body of an answer below 300 goes. Empty: into `text`, as all other answers.
  MutableByteView destination;
  std::size_t text_bytes_max = 64 * kKiB;  // a longer one is an error, or cut where the status says one
  // Of a request for a part of an object: where the part begins. A server that ignores the header Range answers 200
  // with the whole object: the part is taken out of it, and the connection closes behind it.
  std::optional<std::uint64_t> part_begin_bytes;
  std::chrono::milliseconds deadline{0};   // for the whole transfer; 0: none, only the limits on what does not move
  std::chrono::milliseconds quiet_max{0};  // a shorter limit than the client's on what does not move; 0: the client's
  bool bypass_proxy = false;               // ask the host itself, whatever the environment says about proxies
  bool wants_tls = false;                  // fill in tls_version and certificate_expires_ns

  int status = 0;                          // of HTTP; 0 while there was no answer
  std::vector<HttpHeader> answer_headers;  // names in lower case
  std::string text;                        // of an error: without the credentials of the request (foreign_text.h)
  std::size_t received_bytes = 0;          // into `destination`
  // With `error`: how long nothing had moved, neither the connection nor a byte.
  std::chrono::milliseconds quiet_for{0};
  std::string tls_version;  // "TLSv1.3"; empty without TLS
  std::optional<std::int64_t> certificate_expires_ns;
  // libcurl sent the body anew by itself: the connection was kept from earlier and closed without an answer. What was
  // sent first may have been carried out.
  bool sent_again = false;
  // No complete answer. kUnavailable: name not resolved, no connection, reset, stalled, cut short, more bytes than
  // `destination` or `text` may hold; whether the server did what it was asked is unknown. kCancelled: the same.
  // kUsage: the URL is none, or the server's certificate is not trusted.
  std::optional<Error> error;
  // With `error`: there was a whole head, with `status`, and the connection ended within the body.
  bool cut_short = false;

  void (*done)(HttpTransfer&) = nullptr;
  void* owner = nullptr;  // the caller's own

  // The value of an answer's header, by its name in lower case; empty if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

inline constexpr std::size_t kHttpUploadBufferBytes = 512 * kKiB;
inline constexpr std::size_t kHttpReceiveBufferBytes = 64 * kKiB;
inline constexpr std::size_t kHttpTransferBytes = kHttpUploadBufferBytes + kHttpReceiveBufferBytes + 64 * kKiB;

struct HttpClientOptions {
  std::string ca_file;  // PEM, instead of the system's; empty: the system's
  std::chrono::milliseconds connect_timeout{10'000};
  QuietLimits quiet = {};  // what does not move is given up
  // Of all clients that share them; none: no limit. They count bodies, not headers.
  std::shared_ptr<RateLimit> upload_limit = {};
  std::shared_ptr<RateLimit> download_limit = {};
  // Borrowed. Once cancelled, `perform` and `fetch` end at once with kCancelled.
  CancelToken* cancel = nullptr;
};

class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> make(HttpClientOptions options);
  ~HttpClient();  // gives up what is in flight, without `done`
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void start(HttpTransfer& transfer);
  // Ends a transfer that is in flight; its `done` does not run.
  void give_up(HttpTransfer& transfer);
  // Moves transfers on; when none is done, waits up to `wait` for one. Returns how many were done. `done` may start
  // further transfers.
  std::size_t run(std::chrono::milliseconds wait);
  // From any thread: a `run` that waits returns soon.
  void wake();
  [[nodiscard]] std::size_t in_flight() const;
  // Starts a transfer and runs until it is done. Others move on meanwhile.
  void perform(HttpTransfer& transfer);
  Result<HttpResponse> fetch(const HttpRequest& request);
  // `fetch`, as long as this lives.
  [[nodiscard]] HttpFetch fetcher() {
    return [this](const HttpRequest& request) { return fetch(request); };
  }

 private:
  class Curl;
  explicit HttpClient(std::unique_ptr<Curl> curl);
  std::unique_ptr<Curl> curl_;
};

// "Sun, 06 Nov 1994 08:49:37 GMT" in nanoseconds since 1970; none for what is no date.
std::optional<std::int64_t> parse_http_date(std::string_view text);

// What a server asks for with Retry-After, in seconds or as a date (by the server's own clock, where it tells); none
// for what cannot be read, and 0 for what has passed.
std::optional<std::chrono::seconds> parse_retry_after(const HttpTransfer& answer, std::int64_t wall_ns);

// "libcurl/7.88.1 OpenSSL/3.0.15"
std::string http_library_versions();

}  // namespace drs
