#include "sinks/request_engine.h"

#include <algorithm>

namespace drs {

RequestEngine::RequestEngine(std::unique_ptr<HttpClient> client, StoreProtocol& protocol, const Clock& clock,
                             Options options)
    : client_(std::move(client)),
      protocol_(protocol),
      clock_(clock),
      options_(options),
      window_(std::min(options.parallel_first, options.parallel_max), options.parallel_max),
      dice_(std::random_device{}()) {}

RequestEngine::~RequestEngine() {
  for (Attempt& attempt : attempts_)
    if (attempt.running) client_->give_up(attempt.transfer);
}

void RequestEngine::start(StoreRequest& request) {
  request.doubtful = false;
  request.redirect_url.clear();
  queued_.push_back(&request);
}

std::size_t RequestEngine::run(bool wait) {
  for (;;) {
    start_waiting();
    client_->run(wait && finished_.empty() ? pause() : std::chrono::milliseconds(0));
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

// How long nothing can happen but an answer.
std::chrono::milliseconds RequestEngine::pause() const {
  auto until = RetrySchedule::Time::max();
  for (const Attempt& attempt : attempts_)
    if (!attempt.running) until = std::min(until, attempt.not_before);
  constexpr std::chrono::milliseconds kLongest{1000};
  if (until == RetrySchedule::Time::max()) return kLongest;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.steady());
  return std::clamp(left, std::chrono::milliseconds(0), kLongest);
}

// Those whose time has come first, then new ones.
void RequestEngine::start_waiting() {
  const auto now = clock_.steady();
  for (auto at = attempts_.begin(); at != attempts_.end() && running_ < window_.size();) {
    Attempt& attempt = *at++;  // launching may end it
    if (!attempt.running && attempt.not_before <= now) launch(attempt);
  }
  while (!queued_.empty() && running_ < window_.size()) {
    StoreRequest* const request = queued_.front();
    queued_.pop_front();
    attempts_.push_back({request, this, RetrySchedule(options_.retry), {}, false, false, false, false, {}});
    launch(attempts_.back());
  }
}

void RequestEngine::launch(Attempt& attempt) {
  const StoreRequest& request = *attempt.request;
  HttpTransfer& transfer = attempt.transfer;
  transfer = {};
  transfer.method = request.method;
  transfer.headers = request.headers;
  if (!request.preamble.empty()) transfer.body.push_back(as_bytes(request.preamble));
  transfer.body.insert(transfer.body.end(), request.body.begin(), request.body.end());
  if (!request.trailer.empty()) transfer.body.push_back(as_bytes(request.trailer));
  transfer.destination = request.destination;
  transfer.text_bytes_max = request.text_bytes_max;
  if (auto authorised = protocol_.authorise(request, transfer); !authorised.ok()) {
    finish(attempt, std::move(authorised).error().with_context(request.what));
    return;
  }
  transfer.owner = &attempt;
  transfer.done = [](HttpTransfer& done) {
    auto& ended = *static_cast<Attempt*>(done.owner);
    ended.engine->take_answer(ended);
  };
  attempt.running = true;
  ++running_;
  client_->start(transfer);
}

void RequestEngine::take_answer(Attempt& attempt) {
  attempt.running = false;
  --running_;
  const HttpTransfer& transfer = attempt.transfer;
  attempt.request->doubtful = attempt.request->doubtful || transfer.sent_again;
  Judgement judgement;
  if (transfer.error) {
    // Nobody can tell how far it got.
    judgement.kind =
        transfer.error->code == ErrorCode::kUnavailable ? Judgement::Kind::kRetry : Judgement::Kind::kFailure;
    judgement.error = transfer.error;
    judgement.doubtful = true;
  } else {
    judgement = protocol_.judge(*attempt.request, transfer);
  }
  switch (judgement.kind) {
    case Judgement::Kind::kSuccess:
      window_.succeeded();
      finish(attempt, {});
      return;
    case Judgement::Kind::kSlowDown: window_.slow_down(clock_.steady()); [[fallthrough]];
    case Judgement::Kind::kRetry: try_again(attempt, judgement); return;
    case Judgement::Kind::kRefresh:
      if (std::exchange(attempt.refreshed, true)) break;
      if (auto refreshed = protocol_.refresh(); !refreshed.ok()) {
        finish(attempt, std::move(refreshed).error().with_context(attempt.request->what));
        return;
      }
      attempt.not_before = clock_.steady();
      return;
    case Judgement::Kind::kRedirect:
      if (std::exchange(attempt.redirected, true)) break;
      attempt.request->redirect_url = judgement.url;
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

void RequestEngine::try_again(Attempt& attempt, const Judgement& judgement) {
  DRS_ASSERT(judgement.error.has_value(), "a failure says what failed");
  attempt.request->doubtful = attempt.request->doubtful || judgement.doubtful;
  if (const auto at = attempt.schedule.next(clock_.steady(), judgement.retry_after, dice_())) {
    attempt.not_before = *at;
    // A server that redirected may have come back.
    attempt.request->redirect_url.clear();
    attempt.redirected = false;
    return;
  }
  Error error = *judgement.error;
  error.code = ErrorCode::kUnavailable;
  error.message += "; given up after " + std::to_string(attempt.schedule.failures()) + " attempts in " +
                   std::to_string(std::chrono::duration_cast<std::chrono::seconds>(options_.retry.budget).count()) +
                   " s (--store-timeout)";
  finish(attempt, std::move(error).with_context(attempt.request->what));
}

void RequestEngine::finish(Attempt& attempt, Result<void> result) {
  StoreRequest& request = *attempt.request;
  request.result = std::move(result);
  request.answer = std::move(attempt.transfer);
  finished_.push_back(&request);
  attempts_.remove_if([&](const Attempt& other) { return &other == &attempt; });
}

}  // namespace drs
