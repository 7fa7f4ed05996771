#include "sinks/transport/request_engine.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/scripted_http_server.h"

namespace drs {
namespace {

using testing::answer;
using testing::cut_off;
using testing::ScriptedHttpServer;

// Plain HTTP: 2xx is success, 503 slow down, other 5xx retry, 403 asks for new credentials, 307 redirects.
class PlainProtocol final : public StoreProtocol {
 public:
  explicit PlainProtocol(std::string base) : base_(std::move(base)) {}
  Result<Credentials> authorise(const StoreRequest& request, HttpTransfer& transfer) override {
    if (unavailable_for > 0) {
      --unavailable_for;
      return Error(ErrorCode::kUnavailable, "no credentials");
    }
    transfer.url = request.redirect_url.empty() ? base_ + request.path : request.redirect_url;
    transfer.headers.push_back({"Authorization", "key " + std::to_string(key_)});
    return Credentials(std::make_shared<int>(key_));
  }
  Judgement judge(const StoreRequest& /*request*/, const HttpTransfer& transfer) override {
    using Kind = Judgement::Kind;
    const Error error{ErrorCode::kIo, "status " + std::to_string(transfer.status)};
    if (first_key_expired && transfer.headers.back().value == "key 1") return {.kind = Kind::kRefresh, .error = error};
    if (transfer.status < 300) return {};
    if (transfer.status == 404)
      return {.kind = transfer.text == "gone" ? Kind::kGone : Kind::kSaidGone, .error = error};
    if (transfer.status == 307)
      return {.kind = Kind::kRedirect, .error = error, .url = std::string(transfer.header("location"))};
    if (transfer.status == 403) return {.kind = Kind::kRefresh, .error = error};
    if (transfer.status == 503) return {.kind = Kind::kSlowDown, .error = error};
    if (transfer.status >= 500) return {.kind = Kind::kRetry, .error = error, .effect = Judgement::Effect::kPossible};
    return {.kind = Kind::kFailure, .error = error};
  }
  Result<void> refresh(const Credentials& refused) override {
    if (*std::static_pointer_cast<const int>(refused) == key_) ++key_;
    return {};
  }
  std::optional<StoreRequest> second_look(const StoreRequest& request) override {
    if (request.method != "HEAD") return std::nullopt;
    StoreRequest look;
    look.method = "GET";
    look.path = request.path;
    return look;
  }
  [[nodiscard]] int key() const { return key_; }

  int unavailable_for = 0;  // attempts
  bool first_key_expired = false;

 private:
  const std::string base_;
  int key_ = 1;
};

class RequestEngineTest : public ::testing::Test {
 protected:
  void serve(std::vector<testing::ScriptedAnswer> script, std::chrono::milliseconds budget = std::chrono::seconds(20)) {
    server_ = std::make_unique<ScriptedHttpServer>(std::move(script));
    protocol_ = std::make_unique<PlainProtocol>(server_->url(""));
    auto client = HttpClient::make({.ca_file = "", .quiet = quiet_});
    ASSERT_TRUE(client.ok());
    RequestEngine::Options options;
    options.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(20), budget,
                     std::chrono::milliseconds(300)};
    options.parallel_max = 8;
    options.parallel_first = 8;
    options.cancel = &cancel_;
    options.counts = counts_;
    engine_ = std::make_unique<RequestEngine>(std::move(*client), *protocol_, clock_, options);
  }
  static StoreRequest put(ByteView body) {
    StoreRequest request;
    request.method = "PUT";
    request.path = "/object";
    request.body = {body.first(body.size() / 3), body.subspan(body.size() / 3)};
    request.what = "put object";
    return request;
  }
  static StoreRequest get(MutableByteView destination) {
    StoreRequest request;
    request.method = "GET";
    request.path = "/object";
    request.destination = destination;
    request.what = "get object";
    return request;
  }

  SystemClock clock_;
  CancelToken cancel_;
  std::unique_ptr<ScriptedHttpServer> server_;
  std::unique_ptr<PlainProtocol> protocol_;
  std::shared_ptr<RequestCounts> counts_;
  QuietLimits quiet_{.stall = std::chrono::seconds(2), .answer = std::chrono::seconds(2)};
  std::unique_ptr<RequestEngine> engine_;
  Bytes body_ = Bytes(300'000, Byte{'x'});
};

TEST_F(RequestEngineTest, SendsABodyOfPiecesAndReceivesIntoItsPlace) {
  serve({answer(200), answer(200, "hello")});
  StoreRequest sent = put(body_);
  ASSERT_TRUE(engine_->perform(sent).ok());
  EXPECT_EQ(server_->requests().at(0).body, std::string(body_.size(), 'x'));
  EXPECT_EQ(server_->requests().at(0).head.find("Expect"), std::string::npos);
  Bytes place(5);
  StoreRequest received = get(place);
  ASSERT_TRUE(engine_->perform(received).ok());
  EXPECT_EQ(as_text(place), "hello");
  EXPECT_EQ(received.answer.received_bytes, 5U);
}

TEST_F(RequestEngineTest, TriesAgainUntilItSucceedsAndKnowsWhetherItMayHaveHappenedBefore) {
  serve({answer(503), answer(503), answer(200)});
  StoreRequest calm = put(body_);
  ASSERT_TRUE(engine_->perform(calm).ok());
  EXPECT_FALSE(calm.doubtful);
  EXPECT_EQ(server_->requests().size(), 3U);
  EXPECT_EQ(server_->requests().back().body.size(), body_.size());

  serve({cut_off(), answer(500), answer(200)});
  StoreRequest doubtful = put(body_);
  ASSERT_TRUE(engine_->perform(doubtful).ok());
  EXPECT_TRUE(doubtful.doubtful);
  EXPECT_EQ(server_->requests().size(), 3U);
}

TEST_F(RequestEngineTest, KnowsThatLibcurlSentABodyAgainByItself) {
  // It does so if a kept connection closes without an answer.
  serve({answer(200), cut_off(), answer(200)});
  StoreRequest first = put(body_);
  ASSERT_TRUE(engine_->perform(first).ok());
  EXPECT_FALSE(first.doubtful);
  StoreRequest second = put(body_);
  ASSERT_TRUE(engine_->perform(second).ok());
  EXPECT_TRUE(second.doubtful);
  EXPECT_EQ(server_->requests().size(), 3U);
}

TEST_F(RequestEngineTest, TakesABodyThatIsCutShortForNoAnswer) {
  serve({cut_off("HTTP/1.1 200 x\r\nContent-Length: 5\r\n\r\nhel"), answer(200, "hello")});
  Bytes place(5);
  StoreRequest request = get(place);
  ASSERT_TRUE(engine_->perform(request).ok());
  EXPECT_EQ(as_text(place), "hello");
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(RequestEngineTest, TakesMoreBytesThanWereAskedForForNoAnswer) {
  serve({answer(200, "hello, world"), answer(200, "hello")});
  Bytes place(5);
  StoreRequest request = get(place);
  ASSERT_TRUE(engine_->perform(request).ok());
  EXPECT_EQ(as_text(place), "hello");
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(RequestEngineTest, AsksAgainForAnAnswerThatIsNotAccepted) {
  serve({answer(200, "hello"), answer(200, "world")});
  Bytes place(5);
  StoreRequest request = get(place);
  request.accept = [&](const HttpTransfer&) -> Result<void> {
    if (as_text(place) == "world") return {};
    return Error(ErrorCode::kUnavailable, "not what was asked for");
  };
  ASSERT_TRUE(engine_->perform(request).ok());
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(RequestEngineTest, RenewsCredentialsOnceForAllRequestsThatCarriedThem) {
  serve({answer(200)});
  protocol_->first_key_expired = true;
  std::vector<StoreRequest> requests;
  for (int i = 0; i < 3; ++i) requests.push_back(put(body_));
  for (StoreRequest& request : requests) {
    request.done = [](StoreRequest&) {};
    engine_->start(request);
  }
  while (engine_->in_flight() > 0) engine_->run(true);
  for (const StoreRequest& request : requests) EXPECT_TRUE(request.result.ok());
  EXPECT_EQ(protocol_->key(), 2);
}

TEST_F(RequestEngineTest, TriesOnceAfterAnOutageThatWasTooLongUntilSomethingSucceeds) {
  serve({answer(500)}, std::chrono::milliseconds(100));
  StoreRequest request = put(body_);
  EXPECT_FALSE(engine_->perform(request).ok());
  const std::size_t requests = server_->requests().size();
  StoreRequest late = put(body_);
  const auto refused = engine_->perform(late);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(server_->requests().size(), requests + 1);
}

TEST_F(RequestEngineTest, StopsTryingWhenCancelled) {
  cancel_.cancel();
  serve({answer(500)});
  StoreRequest request = put(body_);
  const auto done = engine_->perform(request);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(RequestEngineTest, WaitsForCredentialsThatCannotBeHadNow) {
  serve({answer(200)});
  StoreRequest first = put(body_);
  ASSERT_TRUE(engine_->perform(first).ok());
  protocol_->unavailable_for = 2;
  StoreRequest request = put(body_);
  ASSERT_TRUE(engine_->perform(request).ok());
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(RequestEngineTest, DoesNotWaitForCredentialsThatWereNeverThere) {
  serve({answer(200)});
  protocol_->unavailable_for = 2;
  StoreRequest request = put(body_);
  EXPECT_FALSE(engine_->perform(request).ok());
  EXPECT_TRUE(server_->requests().empty());
}

TEST_F(RequestEngineTest, GivesUpWhenTheBudgetIsSpentAndSaysSo) {
  serve({answer(500)}, std::chrono::milliseconds(100));
  StoreRequest request = put(body_);
  const auto done = engine_->perform(request);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(done.error().message.find("put object"), std::string::npos);
  EXPECT_NE(done.error().message.find("status 500"), std::string::npos);
  EXPECT_NE(done.error().message.find("--store-timeout"), std::string::npos);
  EXPECT_GT(server_->requests().size(), 2U);
}

TEST_F(RequestEngineTest, FailsAtOnceWhereTryingAgainCannotHelp) {
  serve({answer(400)});
  StoreRequest request = put(body_);
  EXPECT_FALSE(engine_->perform(request).ok());
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(RequestEngineTest, GetsNewCredentialsOnceAndFailsIfTheyDoNotServeEither) {
  serve({answer(403), answer(200)});
  StoreRequest request = put(body_);
  ASSERT_TRUE(engine_->perform(request).ok());
  EXPECT_NE(server_->requests().at(0).head.find("key 1"), std::string::npos);
  EXPECT_NE(server_->requests().at(1).head.find("key 2"), std::string::npos);

  serve({answer(403)});
  StoreRequest refused = put(body_);
  EXPECT_FALSE(engine_->perform(refused).ok());
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(RequestEngineTest, FollowsOneRedirectAndNotASecond) {
  ScriptedHttpServer other({answer(200)});
  serve({answer(307, "", "Location: " + other.url("/object") + "\r\n")});
  StoreRequest request = put(body_);
  ASSERT_TRUE(engine_->perform(request).ok());
  EXPECT_EQ(other.requests().at(0).body.size(), body_.size());

  ScriptedHttpServer mirror({answer(307, "", "Location: " + server_->url("/object") + "\r\n")});
  serve({answer(307, "", "Location: " + mirror.url("/object") + "\r\n")});
  StoreRequest circle = put(body_);
  EXPECT_FALSE(engine_->perform(circle).ok());
  EXPECT_EQ(mirror.requests().size(), 1U);
}

TEST_F(RequestEngineTest, RunsManyAtOnceAndFewerWhenTheStoreIsOverloaded) {
  std::vector<testing::ScriptedAnswer> script(1, answer(503));
  script.push_back(answer(200));
  serve(script);
  std::vector<StoreRequest> requests(40);
  std::size_t done = 0;
  for (StoreRequest& request : requests) {
    request = put(ByteView(body_).first(1000));
    request.owner = &done;
    request.done = [](StoreRequest& finished) { ++*static_cast<std::size_t*>(finished.owner); };
    engine_->start(request);
  }
  EXPECT_EQ(engine_->in_flight(), 40U);
  while (engine_->in_flight() > 0) engine_->run(true);
  EXPECT_EQ(done, 40U);
  for (const StoreRequest& request : requests) EXPECT_TRUE(request.result.ok());
  EXPECT_EQ(server_->requests().size(), 41U);
  EXPECT_LE(server_->most_at_once(), 8U);
  EXPECT_LT(engine_->parallel(), 9U);
}

TEST_F(RequestEngineTest, CallsNothingGoneWithoutASecondLook) {
  serve({answer(404, "gone"), answer(200, "hello")});
  Bytes place(5);
  StoreRequest request = get(place);
  EXPECT_TRUE(engine_->perform(request).ok());
  EXPECT_EQ(as_text(place), "hello");

  serve({answer(404, "gone")});
  StoreRequest gone = get(place);
  EXPECT_FALSE(engine_->perform(gone).ok());
  EXPECT_EQ(server_->requests().size(), 2U);

  // A proxy says it, first twice, then between answers of the store itself.
  serve({answer(404), answer(404), answer(404, "gone")});
  StoreRequest said = get(place);
  EXPECT_FALSE(engine_->perform(said).ok());
  EXPECT_EQ(server_->requests().size(), 3U);
}

TEST_F(RequestEngineTest, TheSecondLookMayBeAnotherRequestAndThenTheFirstIsMadeAgain) {
  serve({answer(404), answer(200, "x"), answer(200)});
  StoreRequest request = get({});
  request.method = "HEAD";
  EXPECT_TRUE(engine_->perform(request).ok());
  std::vector<std::string> methods;
  for (const auto& seen : server_->requests()) methods.push_back(seen.head.substr(0, seen.head.find(' ')));
  EXPECT_EQ(methods, (std::vector<std::string>{"HEAD", "GET", "HEAD"}));
}

TEST_F(RequestEngineTest, AnAnswerMayTakeLongerThanWhatIsCalledAStall) {
  quiet_ = {.stall = std::chrono::milliseconds(300), .answer = std::chrono::seconds(5)};
  testing::ScriptedAnswer late = answer(200);
  late.late = std::chrono::milliseconds(900);
  serve({late});
  StoreRequest request = put(body_);
  EXPECT_TRUE(engine_->perform(request).ok());
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(RequestEngineTest, AnAnswerHasALimitOfItsOwnAndTheBudgetHoldsForAllAttemptsTogether) {
  quiet_ = {.stall = std::chrono::seconds(5), .answer = std::chrono::milliseconds(400)};
  testing::ScriptedAnswer late = answer(200);
  late.late = std::chrono::seconds(2);
  serve({answer(200), late}, std::chrono::milliseconds(1000));
  StoreRequest first = put(body_);
  ASSERT_TRUE(engine_->perform(first).ok());
  const auto started = std::chrono::steady_clock::now();
  StoreRequest request = put(body_);
  const auto done = engine_->perform(request);
  const auto took = std::chrono::steady_clock::now() - started;
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().message.find("--answer-timeout"), std::string::npos) << done.error().message;
  EXPECT_GT(took, std::chrono::milliseconds(900));
  EXPECT_LT(took, std::chrono::milliseconds(2600));  // the last attempt may start at the end of the budget
  EXPECT_TRUE(request.deadline.has_value());
}

TEST_F(RequestEngineTest, AnotherRequestForTheSameObjectHasWhatIsLeftOfItsBudget) {
  serve({answer(500)}, std::chrono::seconds(20));
  StoreRequest request = put(body_);
  request.deadline = clock_.steady() + std::chrono::milliseconds(200);
  const auto started = std::chrono::steady_clock::now();
  EXPECT_FALSE(engine_->perform(request).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
}

TEST_F(RequestEngineTest, AWrongEndpointFailsSoonUntilSomethingHasWorked) {
  serve({answer(200)}, std::chrono::milliseconds(1500));
  const std::string nobody = "http://127.0.0.1:1/";
  const auto ask = [&](std::string redirect) {
    StoreRequest request = put(body_);
    request.accept = [](const HttpTransfer&) -> Result<void> { return {}; };
    request.path = std::move(redirect);
    const auto started = std::chrono::steady_clock::now();
    const auto done = engine_->perform(request);
    return std::pair(std::chrono::steady_clock::now() - started, done.ok() ? std::string() : done.error().message);
  };
  protocol_ = std::make_unique<PlainProtocol>("");
  auto client = HttpClient::make({.ca_file = "", .quiet = quiet_});
  RequestEngine::Options options;
  options.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(20), std::chrono::milliseconds(1500),
                   std::chrono::milliseconds(300)};
  engine_ = std::make_unique<RequestEngine>(std::move(*client), *protocol_, clock_, options);
  const auto [soon, told] = ask(nobody);
  EXPECT_LT(soon, std::chrono::milliseconds(1200));
  EXPECT_NE(told.find("http://127.0.0.1:1"), std::string::npos) << told;
  EXPECT_NE(told.find("nothing has worked with this store yet"), std::string::npos) << told;
  EXPECT_EQ(ask(server_->url("/object")).second, "");
  EXPECT_GT(ask(nobody).first, std::chrono::milliseconds(1400));
}

TEST(TransferWindow, HalvesOncePerMomentAndGrowsSlowly) {
  TransferWindow window(8, 16);
  const RetrySchedule::Time now{};
  window.slow_down(now);
  window.slow_down(now + std::chrono::milliseconds(10));
  EXPECT_EQ(window.size(), 4U);
  window.slow_down(now + std::chrono::seconds(2));
  window.slow_down(now + std::chrono::seconds(4));
  window.slow_down(now + std::chrono::seconds(6));
  EXPECT_EQ(window.size(), 1U);
  window.succeeded();
  EXPECT_EQ(window.size(), 2U);
  window.succeeded();
  EXPECT_EQ(window.size(), 2U);
  window.succeeded();
  EXPECT_EQ(window.size(), 3U);
  for (int i = 0; i < 1000; ++i) window.succeeded();
  EXPECT_EQ(window.size(), 16U);
}

TEST(RetrySchedule, DoublesUpToItsCapWithFullJitterAndEndsWithItsBudget) {
  using std::chrono::milliseconds;
  const RetryOptions options{milliseconds(100), milliseconds(1000), milliseconds(5000)};
  const RetrySchedule::Time start{std::chrono::hours(1)};
  RetrySchedule schedule(options);
  EXPECT_EQ(schedule.next(start, {}, 100), start + milliseconds(100));  // the whole of the first pause
  EXPECT_EQ(schedule.next(start, {}, 201), start);                      // none of the second, of up to 200
  EXPECT_EQ(schedule.next(start, {}, 400), start + milliseconds(400));
  for (int i = 0; i < 10; ++i) schedule.next(start, {}, 0);
  EXPECT_EQ(schedule.next(start, {}, 1000), start + milliseconds(1000));
  EXPECT_EQ(schedule.next(start, {.retry_after = std::chrono::seconds(60)}, 0),
            start + milliseconds(1000));  // at most the cap
  EXPECT_EQ(schedule.next(start + milliseconds(4500), {}, 300), start + milliseconds(4800));
  EXPECT_EQ(schedule.next(start + milliseconds(4500), {}, 1000), start + milliseconds(5000));  // end of the budget
  EXPECT_EQ(schedule.next(start + milliseconds(5000), {}, 0), std::nullopt);
}

TEST(RetrySchedule, CountsFromWhenNothingMovedAndKeepsTheDeadlineOfTheObject) {
  using std::chrono::milliseconds;
  const RetryOptions options{milliseconds(100), milliseconds(1000), milliseconds(5000), milliseconds(700)};
  const RetrySchedule::Time start{std::chrono::hours(1)};
  RetrySchedule quiet(options);
  EXPECT_NE(quiet.next(start, {.quiet_for = milliseconds(3000)}, 0), std::nullopt);
  EXPECT_EQ(quiet.deadline(), start + milliseconds(2000));
  EXPECT_EQ(quiet.next(start + milliseconds(2000), {}, 0), std::nullopt);
  RetrySchedule later(options, quiet.deadline());
  EXPECT_NE(later.next(start + milliseconds(1900), {}, 0), std::nullopt);
  EXPECT_EQ(later.next(start + milliseconds(2000), {}, 0), std::nullopt);
  RetrySchedule brief(options);
  EXPECT_NE(brief.next(start, {.brief = true}, 0), std::nullopt);
  EXPECT_EQ(brief.next(start + milliseconds(700), {.brief = true}, 0), std::nullopt);
  EXPECT_NE(brief.next(start + milliseconds(700), {}, 0), std::nullopt);
}

TEST(StoreOutage, IsToldOnceWhenItLastsAndWhenItEnds) {
  std::vector<std::string> told;
  StoreOutage outage([&](const std::string& text) { told.push_back(text); });
  const StoreOutage::Time start{std::chrono::hours(1)};
  outage.failed(start, "status 500");
  outage.failed(start + std::chrono::seconds(9), "status 500");
  outage.succeeded(start + std::chrono::seconds(9));
  outage.failed(start + std::chrono::seconds(11), "status 502");
  EXPECT_TRUE(told.empty());
  outage.failed(start + std::chrono::seconds(22), "status 503");
  outage.failed(start + std::chrono::seconds(60), "status 504");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("status 503"), std::string::npos);
  outage.gave_up("put a: no answer");
  EXPECT_TRUE(outage.given_up());
  EXPECT_EQ(outage.given_up_for(), "put a: no answer");
  outage.succeeded(start + std::chrono::seconds(71));
  EXPECT_FALSE(outage.given_up());
  ASSERT_EQ(told.size(), 2U);
  EXPECT_NE(told[1].find("60 s"), std::string::npos);
}

TEST(RetryAfter, IsReadInSecondsAndAsADate) {
  const auto asked = [](const std::string& value, const std::string& date) {
    HttpTransfer answer;
    answer.answer_headers = {{"retry-after", value}, {"date", date}};
    return parse_retry_after(answer, 0);
  };
  using std::chrono::seconds;
  EXPECT_EQ(asked("17", ""), seconds(17));
  EXPECT_EQ(asked("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT"), seconds(30));
  EXPECT_EQ(asked("Sun, 06 Nov 1994 08:49:07 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), seconds(0));
  EXPECT_EQ(asked("Thu, 01 Jan 1970 00:01:00 GMT", ""), seconds(60));  // by the clock of this machine
  for (const std::string value : {"", "-1", "soon", "1.5x"}) EXPECT_EQ(asked(value, ""), std::nullopt) << value;
}

TEST_F(RequestEngineTest, CountsRequestsAndAttemptsByKind) {
  counts_ = std::make_shared<RequestCounts>();
  serve({answer(503), answer(200, "four"), answer(200)});
  StoreRequest first = put(as_bytes("body"));
  first.kind = RequestKind::kPut;
  ASSERT_TRUE(engine_->perform(first).ok());
  StoreRequest second = put({});
  second.kind = RequestKind::kRetain;
  ASSERT_TRUE(engine_->perform(second).ok());
  const std::vector<RequestCount> totals = counts_->totals();
  ASSERT_EQ(totals.size(), 2U);
  EXPECT_EQ(totals[0].kind, "put");
  EXPECT_EQ(totals[0].requests, 1U);
  EXPECT_EQ(totals[0].attempts, 2U);
  EXPECT_EQ(totals[0].sent_bytes, 8U);
  EXPECT_EQ(totals[0].received_bytes, 4U);
  EXPECT_EQ(totals[1].kind, "retain");
  EXPECT_EQ(totals[1].attempts, 1U);
}

}  // namespace
}  // namespace drs
