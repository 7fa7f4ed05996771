// Makes requests to an object store in the cloud, and repeats each until it succeeds, fails for good, or its budget is
// spent.
//
// A StoreProtocol covers what differs between stores: how a request is authorised, and what an answer means. Pauses do
// not block: while one request waits for its next attempt, others advance. TransferWindow decides how many run at once.
// Threads: one thread at a time.
//
// Errors of requests: those that the protocol derives from an answer; kUnavailable, with the last answer, once the
// budget is spent; kCancelled.
//
// An object counts as missing only after a second look, and only if the store itself says so (Judgement::Kind::kGone).
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

#include "io/base/cancel.h"
#include "io/base/clock.h"
#include "sinks/transport/http_client.h"
#include "sinks/transport/object_fault.h"
#include "sinks/transport/request_counts.h"
#include "sinks/transport/retry_policy.h"

namespace drs {

struct StoreRequest {
  using Kind = RequestKind;
  Kind kind = Kind::kOther;
  std::string method;
  std::string path;                 // encoded, as it is signed and sent
  std::string query;                // likewise, or empty
  std::vector<HttpHeader> headers;  // without Host and Authorization
  std::string preamble;             // sent before the body
  std::vector<ByteView> body;       // borrowed until done
  std::string trailer;              // sent after the body
  // SHA-256 of the body in hex, if the caller has it; the protocol computes it where it needs one.
  std::string body_sha256;
  std::string body_crc32c;      // likewise, as the protocol writes it
  MutableByteView destination;  // as in HttpTransfer
  std::size_t text_bytes_max = 64 * kKiB;
  std::string what;          // for messages: "put packs/3f/3fa0..."
  std::string redirect_url;  // set by the engine after a redirect
  // Further conditions on an answer of success, if the caller has any. An error means that the server or the network is
  // at fault, and the request is repeated.
  std::function<Result<void>(const HttpTransfer& answer)> accept;
  std::optional<std::uint64_t> part_begin_bytes;  // as in HttpTransfer
  // The end of the budget for the object of this request; none before the first failure. The engine sets it, and the
  // caller passes it to the next request for the same object.
  std::optional<RetrySchedule::Time> deadline;

  Result<void> result;
  HttpTransfer answer;    // of the last attempt
  bool doubtful = false;  // the store may have carried out an earlier attempt that got no answer
  void (*done)(StoreRequest&) = nullptr;
  void* owner = nullptr;  // the caller's own
};

// One attempt at the request, without authorisation. Borrows its texts and body.
HttpTransfer transfer_of(const StoreRequest& request);

// What the answer to one attempt means.
struct Judgement {
  enum class Kind : std::uint8_t {
    kSuccess,
    kFailure,   // final, with `error`
    kRetry,     // repeat; `error`, if no attempt succeeds in time
    kSlowDown,  // as kRetry, and the store is overloaded
    kRefresh,   // the credentials have expired: repeat once with new ones
    kRedirect,  // repeat once at `url`
    kOnceMore,  // repeat at once; a second such answer is final: a failure if it has an `error`, else a success
    // The store itself says that there is no such object: `error`, if a second look confirms it.
    kGone,
    // The answer says so, but does not prove that it comes from the store (an answer to HEAD has no body). Only kGone
    // in a second look confirms it; otherwise as kRetry.
    kSaidGone,
  };
  // Whether the store may have carried out the attempt.
  enum class Effect : std::uint8_t {
    kNone,
    kPossible,
  };
  Kind kind = Kind::kSuccess;
  std::optional<Error> error = {};
  std::optional<std::chrono::seconds> retry_after = {};
  Effect effect = Effect::kNone;
  std::string url = {};
  // For kRetry: nothing in the answer proves that it comes from a store of this kind. Until another answer proves that
  // there is one, the request gets only RetryOptions::brief_budget.
  bool stranger = false;
  bool brief = false;  // a longer wait is unlikely to help: only the brief budget
};

class StoreProtocol {
 public:
  virtual ~StoreProtocol() = default;
  // The credentials of an attempt, in a form that only the protocol reads.
  using Credentials = std::shared_ptr<const void>;
  // Sets the URL and adds the headers that authorise this attempt. Errors: those of the credentials.
  virtual Result<Credentials> authorise(const StoreRequest& request, HttpTransfer& transfer) = 0;
  // Called only without `transfer.error`.
  virtual Judgement judge(const StoreRequest& request, const HttpTransfer& transfer) = 0;
  // Replaces credentials that the store refused, although they do not look expired; does nothing if others are already
  // in use.
  virtual Result<void> refresh(const Credentials& refused) = 0;
  // The request for a second look, if the same request could not get a better answer; none: repeat the same request.
  virtual std::optional<StoreRequest> second_look(const StoreRequest& /*request*/) { return std::nullopt; }
  // Asks whether the store has the object that a get could not read.
  virtual StoreRequest presence_look(const StoreRequest& get);
};

class RequestEngine {
 public:
  struct Options {
    RetryOptions retry;
    std::size_t parallel_max = 32;
    std::size_t parallel_first = 8;
    // Borrowed. Once cancelled, nothing waits for long. A request without a body, or without an attempt, ends with
    // kCancelled at once; one with a body after `cancel_grace`; failed attempts are not repeated. A request that starts
    // after the cancel gets one attempt of `cancel_grace`.
    CancelToken* cancel = nullptr;
    std::chrono::milliseconds cancel_grace{2'000};
    // Shared by the engines of one store; none: the engine has its own.
    std::shared_ptr<StoreOutage> outage;
    std::shared_ptr<GoodGets> good_gets = {};    // likewise
    std::shared_ptr<RequestCounts> counts = {};  // counts the requests, if given
  };
  RequestEngine(std::unique_ptr<HttpClient> client, StoreProtocol& protocol, const Clock& clock, Options options);
  ~RequestEngine();

  // The request belongs to the engine until the engine runs `done`, from inside `run`.
  void start(StoreRequest& request);
  // Advances requests; with `wait`, until at least one is done. Returns how many were done.
  std::size_t run(bool wait);
  // From any thread: a `run` that waits returns soon.
  void wake();
  // Carries out one request without calling `done`; others advance meanwhile. Returns request.result.
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
    bool looks_again = false;          // takes a second look for an object said to be missing
    std::optional<StoreRequest> look;  // the request of that look; none: the same request
    ObjectFault fault;
    std::optional<GoodGet> good;  // proves that the network path works
    enum class Proof : std::uint8_t { kNone, kObject, kWay } proof = Proof::kNone;  // what `look` proves
    std::optional<Judgement> blamed;  // the judgement of the attempt before
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
  std::list<Attempt> attempts_;       // in flight, or waiting for their next attempt
  std::size_t running_ = 0;
  std::vector<StoreRequest*> finished_;
  std::atomic<bool> woken_{false};
  bool authorised_once_ = false;
  std::optional<RetrySchedule::Time> cancelled_at_;  // when it was noticed
  std::mt19937_64 dice_;
  std::unique_ptr<CancelToken::Registration> cancelling_;  // last, since it wakes the client
};

}  // namespace drs
