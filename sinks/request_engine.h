// Requests to an object store in the cloud, each made again until it succeeds, fails for good, or its budget is spent.
//
// What differs between stores - how a request is authorised, and what an answer means - is a StoreProtocol. Pauses do
// not block: while one request waits for its next attempt, the others move on. As many run at once as the store takes
// (TransferWindow). Threads: one thread at a time.
//
// Errors of requests: what the protocol makes of an answer; kUnavailable, with the last answer, once the budget is
// spent; kCancelled.
//
// An object is called gone only after a second look, and only by a store that says so itself (Judgement::Kind::kGone).
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "io/cancel.h"
#include "io/clock.h"
#include "sinks/http_client.h"
#include "sinks/object_fault.h"
#include "sinks/request_counts.h"
#include "sinks/retry_policy.h"

namespace drs {

struct StoreRequest {
  using Kind = RequestKind;
  Kind kind = Kind::kOther;
  std::string method;
  std::string path;                 // encoded, as it is signed and sent
  std::string query;                // likewise, or empty
  std::vector<HttpHeader> headers;  // without Host and those that authorise
  std::string preamble;             // sent before the body
  std::vector<ByteView> body;       // borrowed until done
  std::string trailer;              // sent after the body
  // SHA-256 of the body in hex where the caller has it; the protocol computes it where it must.
  std::string body_sha256;
  std::string body_crc32c;      // likewise, as the protocol writes it
  MutableByteView destination;  // as in HttpTransfer
  std::size_t text_bytes_max = 64 * kKiB;
  std::string what;          // for messages: "put packs/3f/3fa0..."
  std::string redirect_url;  // where the store sent us; the engine's to set
  // What an answer that is a success must hold besides, where the caller can tell: an error here is one of the way or
  // of the server, and the request is made again.
  std::function<Result<void>(const HttpTransfer& answer)> accept;
  std::optional<std::uint64_t> part_begin_bytes;  // as in HttpTransfer
  // When the budget of the object ends that this request is about; none while nothing has failed. The engine sets it,
  // and the caller hands it to the next request for the same object.
  std::optional<RetrySchedule::Time> deadline;

  Result<void> result;
  HttpTransfer answer;    // of the last attempt
  bool doubtful = false;  // what was sent before the last time may have been carried out: its answer never came
  void (*done)(StoreRequest&) = nullptr;
  void* owner = nullptr;  // the caller's own
};

// One attempt at it, without what authorises it. Borrows the request's texts and body.
HttpTransfer transfer_of(const StoreRequest& request);

// What the answer to one attempt means.
struct Judgement {
  enum class Kind : std::uint8_t {
    kSuccess,
    kFailure,   // for good, with `error`
    kRetry,     // `error`, if no attempt succeeds in time
    kSlowDown,  // the same, and the store is overloaded
    kRefresh,   // the credentials have expired: once with new ones
    kRedirect,  // once to `url`
    kOnceMore,  // at once; a second such answer is taken: a failure with `error`, a success without
    // The store itself says that there is no such thing: `error`, if a second look finds the same.
    kGone,
    // Something says so, but nothing shows that it is the store (an answer to HEAD has no body): only kGone in answer
    // to a second look is taken. With `error`, as kRetry else.
    kSaidGone,
  };
  Kind kind = Kind::kSuccess;
  std::optional<Error> error = {};
  std::optional<std::chrono::seconds> retry_after = {};
  bool doubtful = false;  // it may have been carried out
  std::string url = {};
  // Of kRetry. Nothing in the answer shows that a store of this kind gave it: while nothing else has shown that there
  // is one, it is asked for RetryOptions::brief_budget only.
  bool stranger = false;
  bool brief = false;  // a longer wait is not likely to help, whoever answered: only the brief budget
};

class StoreProtocol {
 public:
  virtual ~StoreProtocol() = default;
  // What an attempt was authorised with: the protocol's own.
  using Credentials = std::shared_ptr<const void>;
  // Sets the URL and adds the headers that authorise this attempt. Errors: those of the credentials.
  virtual Result<Credentials> authorise(const StoreRequest& request, HttpTransfer& transfer) = 0;
  // `transfer.error` is not set.
  virtual Judgement judge(const StoreRequest& request, const HttpTransfer& transfer) = 0;
  // Gets others than those that were refused, although these do not look expired; unless there are others by now.
  virtual Result<void> refresh(const Credentials& refused) = 0;
  // What the second look asks where the same request could not be answered better; none: the same request again.
  virtual std::optional<StoreRequest> second_look(const StoreRequest& /*request*/) { return std::nullopt; }
  // What asks whether the store has the object that a get could not read.
  virtual StoreRequest presence_look(const StoreRequest& get);
};

class RequestEngine {
 public:
  struct Options {
    RetryOptions retry;
    std::size_t parallel_max = 32;
    std::size_t parallel_first = 8;
    // Borrowed. Once cancelled, nothing waits for long: what runs without a body, or was never attempted, ends with
    // kCancelled at once, what runs with one after `cancel_grace`, and what fails is not tried again. What is started
    // after that is attempted once, for `cancel_grace`.
    CancelToken* cancel = nullptr;
    std::chrono::milliseconds cancel_grace{2'000};
    // Of the store that several engines serve; none: the engine's own.
    std::shared_ptr<StoreOutage> outage;
    std::shared_ptr<GoodGets> good_gets = {};    // likewise
    std::shared_ptr<RequestCounts> counts = {};  // where requests are counted, if anywhere
  };
  RequestEngine(std::unique_ptr<HttpClient> client, StoreProtocol& protocol, const Clock& clock, Options options);
  ~RequestEngine();

  // The request belongs to the engine until it runs `done`, from inside `run`.
  void start(StoreRequest& request);
  // Moves requests on; with `wait`, until at least one is done. Returns how many were done.
  std::size_t run(bool wait);
  // From any thread: a `run` that waits returns soon.
  void wake();
  // One request from start to end, `done` not used; others move on meanwhile. Returns request.result.
  Result<void> perform(StoreRequest& request);
  [[nodiscard]] std::size_t in_flight() const { return queued_.size() + attempts_.size(); }
  [[nodiscard]] std::size_t parallel() const { return window_.size(); }

 private:
  struct Attempt {
    StoreRequest* request = nullptr;
    RequestEngine* engine = nullptr;
    RetrySchedule schedule{{}};
    HttpTransfer transfer;
    StoreProtocol::Credentials credentials;  // of this attempt
    bool running = false;
    bool refreshed = false;
    bool redirected = false;
    bool repeated = false;
    bool looks_again = false;          // for what was said to be gone
    std::optional<StoreRequest> look;  // with this, where not with the same request
    ObjectFault fault;
    std::optional<GoodGet> good;                                                    // what shows that the way is clear
    enum class Proof : std::uint8_t { kNone, kObject, kWay } proof = Proof::kNone;  // what of it `look` asks
    std::optional<Judgement> blamed;  // what the attempt before that came to
    RetrySchedule::Time not_before{};
    RetrySchedule::Time launched_at{};

    [[nodiscard]] const StoreRequest& sent() const { return look ? *look : *request; }
  };
  void start_waiting();
  void notice_cancel();
  [[nodiscard]] RetrySchedule::Time cancel_end(const Attempt& attempt) const;
  void give_up(Attempt& attempt);
  void launch(Attempt& attempt);
  void count(const Attempt& attempt);
  void take_answer(Attempt& attempt);
  Judgement judge(const Attempt& attempt);
  void look_again(Attempt& attempt, const Judgement& judgement);
  void fail(Attempt& attempt, Error error);
  void try_again(Attempt& attempt, const Judgement& judgement);
  void try_later(Attempt& attempt, const Judgement& judgement);
  bool blame_object(Attempt& attempt, const Judgement& judgement, bool spent);
  void ask_object(Attempt& attempt);
  void take_proof(Attempt& attempt, const Judgement& judgement);
  [[nodiscard]] bool cancelled() const { return options_.cancel != nullptr && options_.cancel->cancelled(); }
  void finish(Attempt& attempt, Result<void> result);
  void finish(StoreRequest& request, Result<void> result);
  [[nodiscard]] std::chrono::milliseconds pause() const;

  std::unique_ptr<HttpClient> client_;
  StoreProtocol& protocol_;
  const Clock& clock_;
  const Options options_;
  TransferWindow window_;
  std::deque<StoreRequest*> queued_;  // never attempted
  std::list<Attempt> attempts_;       // running, or waiting for their time
  std::size_t running_ = 0;
  std::vector<StoreRequest*> finished_;
  std::atomic<bool> woken_{false};
  bool authorised_once_ = false;
  std::optional<RetrySchedule::Time> cancelled_at_;  // when it was noticed
  std::mt19937_64 dice_;
  std::unique_ptr<CancelToken::Registration> cancelling_;  // last: it wakes the client
};

}  // namespace drs
