#include "sinks/transport/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>

#include "io/base/byte_pieces.h"
#include "sinks/transport/certificate_bundle.h"
#include "sinks/transport/foreign_text.h"
#include "sinks/transport/http_slot.h"

namespace drs {
namespace {

constexpr std::chrono::milliseconds kWatchEvery{100};
// TCP keep-alive: a dead peer is noticed while an answer is awaited, after 20 s and nine probes 5 s apart on Linux.
constexpr long kKeepAliveIdleSeconds = 20;
constexpr long kKeepAliveEverySeconds = 5;

// libcurl takes seconds and bytes as long and as its own 64-bit type.
curl_off_t as_curl(std::uint64_t value) {
  return static_cast<curl_off_t>(value);
}

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

void initialize_library() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

std::string_view HttpTransfer::header(std::string_view name) const {
  for (const HttpHeader& header : answer_headers)
    if (header.name == name) return header.value;
  return {};
}

class HttpClient::Curl {
 public:
  explicit Curl(HttpClientOptions options)
      : options_(std::move(options)), certificate_bundle_(find_certificate_bundle()), multi_(curl_multi_init()) {}
  ~Curl() {
    for (const auto& slot : busy_) curl_multi_remove_handle(multi_.get(), slot->easy.get());
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  [[nodiscard]] bool usable() const { return multi_ != nullptr; }
  [[nodiscard]] std::size_t in_flight() const { return busy_.size() + failed_.size(); }
  [[nodiscard]] CancelToken* cancel() const { return options_.cancel; }

  void start(HttpTransfer& transfer) {
    auto slot = take_slot();
    if (slot == nullptr || !prepare(*slot, transfer) ||
        curl_multi_add_handle(multi_.get(), slot->easy.get()) != CURLM_OK) {
      transfer.error = Error(ErrorCode::kInternal, "no memory for a transfer");
      failed_.push_back(&transfer);
      return;
    }
    busy_.push_back(std::move(slot));
  }

  void give_up(HttpTransfer& transfer) {
    std::erase(failed_, &transfer);
    const auto found =
        std::find_if(busy_.begin(), busy_.end(), [&](const auto& slot) { return slot->transfer == &transfer; });
    if (found == busy_.end()) return;
    curl_multi_remove_handle(multi_.get(), (*found)->easy.get());
    (*found)->transfer = nullptr;
    free_.push_back(std::move(*found));
    busy_.erase(found);
  }

  void wake() {
    woken_ = true;
    curl_multi_wakeup(multi_.get());
  }

  std::size_t run(std::chrono::milliseconds wait) {
    const auto until = std::chrono::steady_clock::now() + wait;
    for (;;) {
      resume_waiting();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      watch();
      if (const std::size_t finished = finish(); finished > 0) return finished;
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0 || woken_.exchange(false)) return 0;
      const auto pause = std::min({left, std::chrono::milliseconds(250), limited_for()});
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(pause.count()), nullptr);
    }
  }

 private:
  // Resumes transfers that wait for a rate limit, in turn, starting after the one that was resumed last: no transfer
  // stays silent long enough for the server to give it up.
  void resume_waiting() {
    if (options_.upload_limit == nullptr && options_.download_limit == nullptr) return;
    std::size_t next = 0;
    for (std::size_t i = 0; i < busy_.size(); ++i) {
      HttpSlot& slot = *busy_[i];
      if (!slot.sending_waits && !slot.receiving_waits) continue;
      const auto now = std::chrono::steady_clock::now();
      const bool sends = slot.sending_waits && slot.upload_limit->open(now);
      const bool receives = slot.receiving_waits && slot.download_limit->open(now);
      if (!sends && !receives) continue;
      slot.sending_waits = slot.sending_waits && !sends;
      slot.receiving_waits = slot.receiving_waits && !receives;
      next = i + 1;
      // This may call send_body and take_body, which may pause the transfer again.
      curl_easy_pause(slot.easy.get(), (slot.sending_waits ? CURLPAUSE_SEND : CURLPAUSE_SEND_CONT) |
                                           (slot.receiving_waits ? CURLPAUSE_RECV : CURLPAUSE_RECV_CONT));
    }
    std::rotate(busy_.begin(), busy_.begin() + static_cast<std::ptrdiff_t>(next), busy_.end());
  }

  // How long until a rate limit needs attention.
  [[nodiscard]] std::chrono::milliseconds limited_for() {
    auto pause = std::chrono::milliseconds::max();
    const auto now = std::chrono::steady_clock::now();
    for (const auto& slot : busy_) {
      if (slot->sending_waits) pause = std::min(pause, slot->upload_limit->closed_for(now));
      if (slot->receiving_waits) pause = std::min(pause, slot->download_limit->closed_for(now));
    }
    return pause;
  }

  std::unique_ptr<HttpSlot> take_slot() {
    std::unique_ptr<HttpSlot> slot;
    if (!free_.empty()) {
      slot = std::move(free_.back());
      free_.pop_back();
      return slot;
    }
    slot = std::make_unique<HttpSlot>();
    slot->easy.reset(curl_easy_init());
    if (slot->easy == nullptr) slot.reset();
    return slot;
  }

  // The limits of the client, or those of the transfer if they are shorter.
  [[nodiscard]] QuietLimits limits_of(const HttpTransfer& transfer) const {
    QuietLimits limits = options_.quiet;
    if (transfer.quiet_max.count() == 0) return limits;
    limits.stall = std::min(limits.stall, transfer.quiet_max);
    limits.answer_is_cut = transfer.quiet_max < limits.answer;
    limits.answer = std::min(limits.answer, transfer.quiet_max);
    return limits;
  }

  void watch() {
    const auto now = std::chrono::steady_clock::now();
    if (now - watched_at_ < kWatchEvery) return;
    watched_at_ = now;
    std::vector<HttpTransfer*> given_up;
    for (const auto& slot : busy_) {
      note_movement(*slot, now);
      HttpTransfer& transfer = *slot->transfer;
      transfer.error = slot->watch.stalled(limits_of(transfer), now);
      if (!transfer.error) continue;
      transfer.quiet_for = slot->watch.quiet_for(now);
      given_up.push_back(&transfer);
    }
    for (HttpTransfer* const transfer : given_up) {
      give_up(*transfer);
      failed_.push_back(transfer);
    }
  }

  // Sets options of one handle, until libcurl refuses one.
  class Setup {
   public:
    explicit Setup(CURL* easy) : easy_(easy) {}
    void set(CURLoption option, auto value) { good_ = good_ && curl_easy_setopt(easy_, option, value) == CURLE_OK; }
    void fail() { good_ = false; }
    [[nodiscard]] bool good() const { return good_; }

   private:
    CURL* easy_;
    bool good_ = true;
  };

  bool prepare(HttpSlot& slot, HttpTransfer& transfer) {
    reset(slot, transfer);
    curl_easy_reset(slot.easy.get());
    Setup setup(slot.easy.get());
    set_connection(setup, slot, transfer);
    set_method(setup, slot, transfer);
    set_headers(setup, slot, transfer);
    return setup.good();
  }

  // Resets what an earlier transfer left.
  void reset(HttpSlot& slot, HttpTransfer& transfer) const {
    transfer.status = 0;
    transfer.answer_headers.clear();
    transfer.text.clear();
    transfer.received_bytes = 0;
    transfer.sent_again = false;
    transfer.error.reset();
    transfer.cut_short = false;
    transfer.quiet_for = {};
    transfer.tls_version.clear();
    transfer.certificate_expires_ns.reset();
    slot.transfer = &transfer;
    slot.sent_bytes = 0;
    slot.overflowed = false;
    slot.upload_limit = options_.upload_limit.get();
    slot.download_limit = options_.download_limit.get();
    slot.sending_waits = false;
    slot.receiving_waits = false;
    slot.passed_bytes = 0;
    slot.enough_is_there = false;
    slot.connected = false;
    slot.answered = false;
    slot.answer_bytes = 0;
    slot.header_bytes = 0;
    slot.watch.begin(std::chrono::steady_clock::now());
    slot.error[0] = 0;
    slot.body_bytes = total_bytes(transfer.body);
  }

  void set_connection(Setup& setup, HttpSlot& slot, const HttpTransfer& transfer) const {
    const auto connect_limit = transfer.quiet_max.count() > 0 ? std::min(options_.connect_timeout, transfer.quiet_max)
                                                              : options_.connect_timeout;
    setup.set(CURLOPT_URL, transfer.url.c_str());
    setup.set(CURLOPT_PRIVATE, &slot);
    setup.set(CURLOPT_ERRORBUFFER, slot.error.data());
    setup.set(CURLOPT_PROTOCOLS_STR, "http,https");
    setup.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    setup.set(CURLOPT_NOSIGNAL, 1L);
    setup.set(CURLOPT_TCP_KEEPALIVE, 1L);
    setup.set(CURLOPT_PATH_AS_IS, 1L);
    setup.set(CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleSeconds);
    setup.set(CURLOPT_TCP_KEEPINTVL, kKeepAliveEverySeconds);
    setup.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_limit.count()));
    setup.set(CURLOPT_PREREQFUNCTION, &take_connection);
    setup.set(CURLOPT_PREREQDATA, &slot);
    if (transfer.bypass_proxy) setup.set(CURLOPT_NOPROXY, "*");
    if (transfer.deadline.count() > 0) setup.set(CURLOPT_TIMEOUT_MS, static_cast<long>(transfer.deadline.count()));
    setup.set(CURLOPT_UPLOAD_BUFFERSIZE, static_cast<long>(kHttpUploadBufferBytes));
    setup.set(CURLOPT_BUFFERSIZE, static_cast<long>(kHttpReceiveBufferBytes));
    if (!options_.ca_file.empty()) {
      setup.set(CURLOPT_CAINFO, options_.ca_file.c_str());
      setup.set(CURLOPT_CAPATH,
                static_cast<const char*>(nullptr));  // otherwise libcurl also trusts the folder of the system
    } else if (!certificate_bundle_.empty()) {
      setup.set(CURLOPT_CAINFO, certificate_bundle_.c_str());
    }
    if (!certificate_bundle_.empty())  // some builds of libcurl have no TLS to proxies
      static_cast<void>(curl_easy_setopt(slot.easy.get(), CURLOPT_PROXY_CAINFO, certificate_bundle_.c_str()));
    setup.set(CURLOPT_HEADERFUNCTION, &take_header);
    setup.set(CURLOPT_HEADERDATA, &slot);
    setup.set(CURLOPT_WRITEFUNCTION, &take_body);
    setup.set(CURLOPT_WRITEDATA, &slot);
  }

  static void set_method(Setup& setup, HttpSlot& slot, const HttpTransfer& transfer) {
    if (transfer.method == "HEAD") {
      setup.set(CURLOPT_NOBODY, 1L);
    } else if (transfer.method == "PUT" || slot.body_bytes > 0) {
      setup.set(CURLOPT_UPLOAD, 1L);
      setup.set(CURLOPT_READFUNCTION, &send_body);
      setup.set(CURLOPT_READDATA, &slot);
      setup.set(CURLOPT_SEEKFUNCTION, &seek_body);
      setup.set(CURLOPT_SEEKDATA, &slot);
      setup.set(CURLOPT_INFILESIZE_LARGE, as_curl(slot.body_bytes));
    }
    if (transfer.method != "HEAD" && transfer.method != "GET")
      setup.set(CURLOPT_CUSTOMREQUEST, transfer.method.c_str());
  }

  static void set_headers(Setup& setup, HttpSlot& slot, const HttpTransfer& transfer) {
    curl_slist* lines = nullptr;
    const auto append = [&](const std::string& line) {
      curl_slist* const longer = curl_slist_append(lines, line.c_str());
      if (longer == nullptr) setup.fail();
      if (longer != nullptr) lines = longer;
    };
    append("Expect:");
    // In libcurl's notation, "name;" is a header without a value.
    for (const HttpHeader& header : transfer.headers)
      append(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
    slot.headers.reset(lines);
    setup.set(CURLOPT_HTTPHEADER, lines);
  }

  // A server or proxy may echo the request in its error message, also with status 200.
  static void redact(HttpTransfer& transfer) {
    if (transfer.status < 300 && transfer.text.find("<Error>") == std::string::npos) return;
    const auto secrets = secrets_sent(transfer.headers, transfer.body);
    transfer.text = without_secrets(transfer.text, secrets);
    for (HttpHeader& header : transfer.answer_headers) header.value = without_secrets(header.value, secrets);
  }

  std::size_t finish() {
    std::vector<HttpTransfer*> ended = std::exchange(failed_, {});
    int left = 0;
    while (CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;
      HttpSlot* slot = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
      HttpTransfer& transfer = *slot->transfer;
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      transfer.status = static_cast<int>(status);
      redact(transfer);
      if (code != CURLE_OK && !slot->enough_is_there) {
        transfer.error = transfer_error(*slot, code);
        transfer.cut_short = slot->answered && (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR);
        const auto now = std::chrono::steady_clock::now();
        note_movement(*slot, now);
        transfer.quiet_for = slot->watch.quiet_for(now);
      }
      give_up(transfer);
      // libcurl 7.88 keeps the buffer of a handle whose name did not resolve, and then refuses to set its size.
      if (code != CURLE_OK) free_.pop_back();
      ended.push_back(&transfer);
    }
    for (HttpTransfer* const transfer : ended) transfer->done(*transfer);
    return ended.size();
  }

  const HttpClientOptions options_;
  const std::string certificate_bundle_;  // of the system
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::vector<std::unique_ptr<HttpSlot>> free_;
  std::vector<std::unique_ptr<HttpSlot>> busy_;
  std::vector<HttpTransfer*> failed_;  // before they started
  std::atomic<bool> woken_{false};
  TransferWatch::Time watched_at_;
};

HttpClient::HttpClient(std::unique_ptr<Curl> curl) : curl_(std::move(curl)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::make(HttpClientOptions options) {
  initialize_library();
  auto curl = std::make_unique<Curl>(std::move(options));
  if (!curl->usable()) return Error(ErrorCode::kInternal, "no memory for an HTTP client");
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(curl)));
}

void HttpClient::start(HttpTransfer& transfer) {
  curl_->start(transfer);
}
void HttpClient::give_up(HttpTransfer& transfer) {
  curl_->give_up(transfer);
}
std::size_t HttpClient::run(std::chrono::milliseconds wait) {
  return curl_->run(wait);
}
std::size_t HttpClient::in_flight() const {
  return curl_->in_flight();
}

void HttpClient::perform(HttpTransfer& transfer) {
  bool done = false;
  transfer.owner = &done;
  transfer.done = [](HttpTransfer& finished) { *static_cast<bool*>(finished.owner) = true; };
  CancelToken* const cancel = curl_->cancel();
  std::unique_ptr<CancelToken::Registration> waking;
  if (cancel != nullptr) waking.reset(new CancelToken::Registration(cancel->on_cancel([this] { wake(); })));
  start(transfer);
  while (!done) {
    if (cancel != nullptr && cancel->cancelled()) {
      give_up(transfer);
      transfer.error = Error(ErrorCode::kCancelled, "asked to stop before there was an answer");
      return;
    }
    run(std::chrono::seconds(1));
  }
}

void HttpClient::wake() {
  curl_->wake();
}

Result<HttpResponse> HttpClient::fetch(const HttpRequest& request) {
  HttpTransfer transfer;
  transfer.method = request.method;
  transfer.url = request.url;
  transfer.headers = request.headers;
  if (!request.body.empty()) transfer.body = {request.body.view()};
  Bytes answer(request.response_bytes_max);
  transfer.destination = answer;
  transfer.deadline = request.timeout;
  transfer.bypass_proxy = request.bypass_proxy;
  perform(transfer);
  if (transfer.error) {
    wipe(answer);
    const bool cancelled = transfer.error->code == ErrorCode::kCancelled;
    return Error(cancelled ? ErrorCode::kCancelled : ErrorCode::kUnavailable, transfer.error->message);
  }
  HttpResponse response;
  response.status = transfer.status;
  response.headers = std::move(transfer.answer_headers);
  // The body of an answer of 300 and above is in `text`.
  const ByteView body =
      transfer.status < 300 ? ByteView(answer).first(transfer.received_bytes) : as_bytes(transfer.text);
  response.body = SecretBytes::copy_of(body);
  wipe(answer);
  return response;
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const std::time_t seconds = curl_getdate(std::string(text).c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return std::int64_t{seconds} * 1'000'000'000;
}

std::optional<std::chrono::seconds> parse_retry_after(const HttpTransfer& answer, std::int64_t wall_ns) {
  const std::string_view text = answer.header("retry-after");
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc{} && end == text.data() + text.size()) return std::chrono::seconds(seconds);
  const auto date = parse_http_date(text);
  if (text.empty() || !date) return std::nullopt;
  const std::int64_t now = parse_http_date(answer.header("date")).value_or(wall_ns);
  return std::chrono::ceil<std::chrono::seconds>(std::chrono::nanoseconds(std::max<std::int64_t>(*date - now, 0)));
}

std::string http_library_versions() {
  const curl_version_info_data* const info = curl_version_info(CURLVERSION_NOW);
  return std::string("libcurl/") + info->version +
         (info->ssl_version != nullptr ? std::string(" ") + info->ssl_version : "");
}

}  // namespace drs
