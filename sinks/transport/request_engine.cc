#include "sinks/transport/request_engine.h"

#include <algorithm>

#include "io/base/byte_pieces.h"

namespace drs {
namespace {

// The silence allowed to an attempt that starts when the budget is (almost) spent.
constexpr std::chrono::milliseconds kLastQuietMax{5'000};
// The time of a request without a body, while the store has been unreachable for longer than --store-timeout.
constexpr std::chrono::milliseconds kAwayQuietMax{10'000};

// The endpoint in messages: "http://127.0.0.1:9000" of a whole URL.
std::string_view endpoint_of(std::string_view url) {
  const std::size_t mark = url.find("://");
  return mark == std::string_view::npos ? url : url.substr(0, url.find('/', mark + 3));
}

std::string seconds_text(std::chrono::steady_clock::duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

}  // namespace

HttpTransfer transfer_of(const StoreRequest& request) {
  HttpTransfer transfer;
  transfer.method = request.method;
  transfer.headers = request.headers;
  if (!request.preamble.empty()) transfer.body.push_back(as_bytes(request.preamble));
  transfer.body.insert(transfer.body.end(), request.body.begin(), request.body.end());
  if (!request.trailer.empty()) transfer.body.push_back(as_bytes(request.trailer));
  transfer.destination = request.destination;
  transfer.text_bytes_max = request.text_bytes_max;
  transfer.part_begin_bytes = request.part_begin_bytes;
  return transfer;
}

StoreRequest StoreProtocol::presence_look(const StoreRequest& get) {
  StoreRequest look;
  look.kind = StoreRequest::Kind::kStat;
  look.method = "HEAD";
  look.path = get.path;
  look.redirect_url = get.redirect_url;
  look.what = get.what;
  return look;
}

RequestEngine::RequestEngine(std::unique_ptr<HttpClient> client, StoreProtocol& protocol, const Clock& clock,
                             Options options)
    : client_(std::move(client)),
      protocol_(protocol),
      clock_(clock),
      options_([&] {
        Options complete = std::move(options);
        if (!complete.outage) complete.outage = std::make_shared<StoreOutage>(nullptr);
        if (!complete.good_gets) complete.good_gets = std::make_shared<GoodGets>();
        return complete;
      }()),
      window_(std::min(options_.parallel_first, options_.parallel_max), options_.parallel_max),
      dice_(std::random_device{}()) {
  if (options_.cancel != nullptr)
    cancelling_.reset(new CancelToken::Registration(options_.cancel->on_cancel([this] { client_->wake(); })));
}

RequestEngine::~RequestEngine() {
  for (Attempt& attempt : attempts_)
    if (attempt.running) client_->give_up(attempt.transfer);
}

void RequestEngine::start(StoreRequest& request) {
  notice_cancel();
  request.doubtful = false;
  request.redirect_url.clear();
  queued_.push_back(&request);
}

std::size_t RequestEngine::run(bool wait) {
  for (;;) {
    start_waiting();
    client_->run(wait && finished_.empty() && in_flight() > 0 ? pause() : std::chrono::milliseconds(0));
    start_waiting();
    // `done` may start further requests.
    const std::vector<StoreRequest*> finished = std::exchange(finished_, {});
    for (StoreRequest* const request : finished) request->done(*request);
    if (!finished.empty() || !wait || in_flight() == 0 || woken_.exchange(false)) return finished.size();
  }
}

void RequestEngine::wake() {
  woken_ = true;
  client_->wake();
}

Result<void> RequestEngine::perform(StoreRequest& request) {
  bool done = false;
  request.owner = &done;
  request.done = [](StoreRequest& finished) { *static_cast<bool*>(finished.owner) = true; };
  start(request);
  while (!done) run(true);
  return request.result;
}

// The time until an event other than an answer.
std::chrono::milliseconds RequestEngine::pause() const {
  auto until = RetrySchedule::Time::max();
  // An attempt whose time has come also needs a free slot.
  const bool full = running_ >= window_.size();
  for (const Attempt& attempt : attempts_) {
    if (!attempt.running && !full) until = std::min(until, attempt.not_before);
    if (attempt.running && cancelled_at_) until = std::min(until, cancel_end(attempt));
  }
  constexpr std::chrono::milliseconds kLongest{1000};
  if (until == RetrySchedule::Time::max()) return kLongest;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.steady());
  return std::clamp(left, std::chrono::milliseconds(0), kLongest);
}

void RequestEngine::notice_cancel() {
  if (cancelled_at_ || !cancelled()) return;
  cancelled_at_ = clock_.steady();
  for (StoreRequest* const request : std::exchange(queued_, {}))
    finish(*request, Error(ErrorCode::kCancelled, request->what + ": asked to stop"));
}

// When an attempt ends after a cancel. An attempt with a body gets a grace period, since an answer settles whether the
// store has carried it out.
RetrySchedule::Time RequestEngine::cancel_end(const Attempt& attempt) const {
  const bool began_after = attempt.launched_at >= *cancelled_at_;
  if (!began_after && attempt.transfer.body.empty()) return *cancelled_at_;
  return std::max(attempt.launched_at, *cancelled_at_) + options_.cancel_grace;
}

// Ends an attempt in flight, because of a cancel.
void RequestEngine::give_up(Attempt& attempt) {
  client_->give_up(attempt.transfer);
  attempt.running = false;
  --running_;
  count(attempt);
  attempt.request->doubtful = true;
  finish(attempt, Error(ErrorCode::kCancelled, attempt.request->what +
                                                   ": asked to stop before the store answered; whether it has done "
                                                   "what it was asked is unknown"));
}

// Attempts whose time has come first, then new requests.
void RequestEngine::start_waiting() {
  notice_cancel();
  const auto now = clock_.steady();
  for (auto at = attempts_.begin(); at != attempts_.end();) {
    Attempt& attempt = *at++;  // the attempt may end below
    if (attempt.running) {
      if (cancelled_at_ && cancel_end(attempt) <= now) give_up(attempt);
      continue;
    }
    if (attempt.schedule.failures() > 0 && cancelled()) {
      finish(attempt, Error(ErrorCode::kCancelled, attempt.request->what + ": asked to stop"));
    } else if (attempt.not_before <= now && running_ < window_.size()) {
      launch(attempt);
    }
  }
  while (!queued_.empty() && running_ < window_.size()) {
    StoreRequest* const request = queued_.front();
    queued_.pop_front();
    Attempt& attempt = attempts_.emplace_back();
    attempt.request = request;
    attempt.engine = this;
    attempt.schedule = RetrySchedule(options_.retry, request->deadline);
    launch(attempt);
  }
}

void RequestEngine::launch(Attempt& attempt) {
  const StoreRequest& request = attempt.sent();
  HttpTransfer& transfer = attempt.transfer;
  transfer = transfer_of(request);
  if (attempt.schedule.deadline()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(*attempt.schedule.deadline() - clock_.steady());
    transfer.quiet_max = std::max(left, kLastQuietMax);
  } else if (options_.outage->given_up() && transfer.body.empty()) {
    transfer.quiet_max = kAwayQuietMax;
  }
  // A server that accepts connections and never answers may not be a store at all.
  if (!options_.outage->was_met() && transfer.body.empty())
    transfer.quiet_max = transfer.quiet_max.count() == 0 ? options_.retry.brief_budget
                                                         : std::min(transfer.quiet_max, options_.retry.brief_budget);
  auto authorised = protocol_.authorise(request, transfer);
  if (!authorised.ok()) {
    // Do not wait for credentials that were never there.
    if (authorised_once_)
      fail(attempt, std::move(authorised).error());
    else
      finish(attempt, std::move(authorised).error().with_context(request.what));
    return;
  }
  authorised_once_ = true;
  attempt.credentials = *std::move(authorised);
  transfer.owner = &attempt;
  transfer.done = [](HttpTransfer& done) {
    auto& ended = *static_cast<Attempt*>(done.owner);
    ended.engine->take_answer(ended);
  };
  attempt.running = true;
  attempt.launched_at = clock_.steady();
  ++running_;
  client_->start(transfer);
}

Judgement RequestEngine::judge(const Attempt& attempt) {
  const HttpTransfer& transfer = attempt.transfer;
  Judgement judgement;
  if (transfer.error) {
    // How far the attempt got is unknown.
    judgement.kind =
        transfer.error->code == ErrorCode::kUnavailable ? Judgement::Kind::kRetry : Judgement::Kind::kFailure;
    judgement.error = transfer.error->with_context(endpoint_of(transfer.url));
    judgement.effect = Judgement::Effect::kPossible;
    judgement.stranger = true;
    return judgement;
  }
  const StoreRequest& request = attempt.sent();
  judgement = protocol_.judge(request, transfer);
  if (judgement.kind != Judgement::Kind::kSuccess || !request.accept) return judgement;
  if (auto accepted = request.accept(transfer); !accepted.ok()) {
    judgement.kind = Judgement::Kind::kRetry;
    judgement.error = std::move(accepted).error().with_context(endpoint_of(transfer.url));
    judgement.stranger = true;
  }
  return judgement;
}

void RequestEngine::count(const Attempt& attempt) {
  if (!options_.counts) return;
  const HttpTransfer& transfer = attempt.transfer;
  options_.counts->count_attempt(attempt.request->kind, total_bytes(transfer.body),
                                 transfer.received_bytes + transfer.text.size());
}

void RequestEngine::take_answer(Attempt& attempt) {
  attempt.running = false;
  --running_;
  const HttpTransfer& transfer = attempt.transfer;
  attempt.request->doubtful = attempt.request->doubtful || transfer.sent_again;
  count(attempt);
  const Judgement judgement = judge(attempt);
  if (!judgement.stranger) options_.outage->met();
  if (attempt.proof != Attempt::Proof::kNone) {
    take_proof(attempt, judgement);
    return;
  }
  switch (judgement.kind) {
    case Judgement::Kind::kSuccess:
      window_.succeeded();
      options_.outage->succeeded(clock_.steady());
      if (!attempt.look) {
        options_.good_gets->note(*attempt.request, transfer);
        finish(attempt, {});
        return;
      }
      // The object exists after all, so repeat the first request.
      attempt.look.reset();
      attempt.looks_again = false;
      try_again(attempt,
                {.kind = Judgement::Kind::kRetry,
                 .error = Error(ErrorCode::kUnavailable, std::string(endpoint_of(transfer.url)) +
                                                             " said that there is no such object, and has it")});
      return;
    case Judgement::Kind::kGone:
    case Judgement::Kind::kSaidGone:
      if (judgement.kind == Judgement::Kind::kGone && attempt.looks_again) break;
      look_again(attempt, judgement);
      return;
    case Judgement::Kind::kSlowDown: window_.slow_down(clock_.steady()); [[fallthrough]];
    case Judgement::Kind::kRetry: try_again(attempt, judgement); return;
    case Judgement::Kind::kRefresh:
      if (std::exchange(attempt.refreshed, true)) break;
      if (auto refreshed = protocol_.refresh(attempt.credentials); !refreshed.ok()) {
        Error error = std::move(refreshed).error();
        if (judgement.error) error.message = judgement.error->message + " (" + error.message + ")";
        fail(attempt, std::move(error));
        return;
      }
      attempt.not_before = clock_.steady();
      return;
    case Judgement::Kind::kRedirect:
      if (std::exchange(attempt.redirected, true)) break;
      attempt.request->redirect_url = judgement.url;
      if (attempt.look) attempt.look->redirect_url = judgement.url;
      attempt.not_before = clock_.steady();
      return;
    case Judgement::Kind::kOnceMore:
      if (!std::exchange(attempt.repeated, true)) {
        attempt.not_before = clock_.steady();
        return;
      }
      if (judgement.error) break;
      finish(attempt, {});
      return;
    case Judgement::Kind::kFailure: break;
  }
  DRS_ASSERT(judgement.error.has_value(), "a failure says what failed");
  finish(attempt, judgement.error->with_context(attempt.request->what));
}

void RequestEngine::look_again(Attempt& attempt, const Judgement& judgement) {
  if (std::exchange(attempt.looks_again, true)) {
    try_again(attempt, judgement);
    return;
  }
  attempt.look = protocol_.second_look(*attempt.request);
  if (attempt.look) attempt.look->redirect_url = attempt.request->redirect_url;
  attempt.not_before = clock_.steady();
}

// There are no credentials for the request; their source may recover.
void RequestEngine::fail(Attempt& attempt, Error error) {
  if (error.code != ErrorCode::kUnavailable) {
    finish(attempt, std::move(error).with_context(attempt.request->what));
    return;
  }
  attempt.refreshed = false;
  if (std::exchange(attempt.proof, Attempt::Proof::kNone) != Attempt::Proof::kNone) attempt.look.reset();
  try_again(attempt, {.kind = Judgement::Kind::kRetry, .error = std::move(error)});
}

// True if the object is to blame for the failure, or the engine is now gathering proofs
// (sinks/transport/object_fault.h). `spent`: the whole budget is spent.
bool RequestEngine::blame_object(Attempt& attempt, const Judgement& judgement, bool spent) {
  const StoreRequest& request = *attempt.request;
  const ObjectFault& fault = attempt.fault;
  const bool fault_was_found = options_.good_gets->fault_was_found_besides(request.path);
  if (!fault.suspected(clock_.steady(), options_.retry, {.fault_was_found = fault_was_found, .budget_spent = spent}))
    return false;
  if (fault.is_proven()) {
    options_.good_gets->found_fault(request.path);
    finish(attempt, fault.verdict(*judgement.error, request, attempt.transfer).with_context(request.what));
    return true;
  }
  attempt.good = options_.good_gets->largest();
  if (!attempt.good || fault.received_bytes_max() >= request.destination.size()) return false;
  attempt.blamed = judgement;
  ask_object(attempt);
  return true;
}

void RequestEngine::ask_object(Attempt& attempt) {
  const StoreRequest& request = *attempt.request;
  attempt.look = attempt.fault.is_cut() ? behind_cut(request, attempt.fault.received_bytes_max(), *attempt.good)
                                        : protocol_.presence_look(request);
  attempt.proof = Attempt::Proof::kObject;
  attempt.not_before = clock_.steady();
}

void RequestEngine::take_proof(Attempt& attempt, const Judgement& judgement) {
  using Proof = Attempt::Proof;
  const Proof proof = std::exchange(attempt.proof, Proof::kNone);
  const StoreRequest look = *std::exchange(attempt.look, {});
  const bool success = judgement.kind == Judgement::Kind::kSuccess;
  if (success) options_.outage->succeeded(clock_.steady());
  attempt.not_before = clock_.steady();
  if (proof == Proof::kWay && success) {
    attempt.fault.add_proof();
    if (!attempt.fault.is_proven()) ask_object(attempt);
    return;
  }
  if (proof == Proof::kObject && (attempt.fault.is_cut() ? is_cut(look, attempt.transfer) : success)) {
    attempt.look = made_again(*attempt.good, *attempt.request);
    attempt.proof = Proof::kWay;
    return;
  }
  if (proof == Proof::kWay) options_.good_gets->failed(look.path);
  attempt.fault = {};
  try_later(attempt, *std::exchange(attempt.blamed, {}));
}

void RequestEngine::try_again(Attempt& attempt, const Judgement& judgement) {
  const HttpTransfer& transfer = attempt.transfer;
  const bool of_range = !attempt.look && reads_range(*attempt.request);
  if (of_range && is_cut(*attempt.request, transfer))
    attempt.fault.cut(clock_.steady(), transfer.received_bytes);
  else if (of_range && transfer.status == 500 && !transfer.error && judgement.kind == Judgement::Kind::kRetry)
    attempt.fault.refused(clock_.steady());
  else
    attempt.fault = {};
  try_later(attempt, judgement);
}

void RequestEngine::try_later(Attempt& attempt, const Judgement& judgement) {
  DRS_ASSERT(judgement.error.has_value(), "a failure says what failed");
  attempt.request->doubtful = attempt.request->doubtful || judgement.effect == Judgement::Effect::kPossible;
  const RetrySchedule::Time now = clock_.steady();
  const bool unknown = judgement.stranger && !options_.outage->was_met();
  const RetrySchedule::Failure failure{judgement.retry_after, attempt.transfer.quiet_for, unknown || judgement.brief};
  const auto at = attempt.schedule.next(now, failure, dice_());
  options_.outage->failed(now, judgement.error->message);
  if (cancelled()) {
    finish(attempt, Error(ErrorCode::kCancelled, attempt.request->what + ": asked to stop; the store's last answer: " +
                                                     judgement.error->message));
    return;
  }
  const bool away_already = options_.outage->given_up();
  if (!away_already && blame_object(attempt, judgement, !at)) return;
  if (at && !away_already) {
    attempt.not_before = attempt.fault.next_by(now, *at, options_.retry);
    // The server that redirected may have recovered.
    attempt.request->redirect_url.clear();
    attempt.redirected = false;
    return;
  }
  Error error = *judgement.error;
  error.code = ErrorCode::kUnavailable;
  if (away_already) {
    error.message += "; not tried again, since a request before it was given up: " + options_.outage->given_up_for();
  } else {
    error.message += "; given up after " + std::to_string(attempt.schedule.failures()) + " attempts in " +
                     seconds_text(now - attempt.schedule.began());
    const bool in_time = attempt.schedule.deadline() > now;
    if (in_time && unknown)
      error.message += ", since nothing has worked with this store yet: is the endpoint right, and is it up?";
    else if (!in_time)
      error.message += " (--store-timeout " + seconds_text(options_.retry.budget) + ")";
  }
  error = std::move(error).with_context(attempt.request->what);
  if (!away_already) options_.outage->gave_up(error.message);
  finish(attempt, std::move(error));
}

void RequestEngine::finish(Attempt& attempt, Result<void> result) {
  StoreRequest& request = *attempt.request;
  request.deadline = attempt.schedule.deadline();
  request.answer = std::move(attempt.transfer);
  attempts_.remove_if([&](const Attempt& other) { return &other == &attempt; });
  finish(request, std::move(result));
}

void RequestEngine::finish(StoreRequest& request, Result<void> result) {
  if (options_.counts) options_.counts->count_request(request.kind);
  request.result = std::move(result);
  finished_.push_back(&request);
}

}  // namespace drs
