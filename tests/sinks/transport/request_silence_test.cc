// A store that accepts connections and never answers: at first contact, and after a cancel.
#include <gtest/gtest.h>

#include <thread>

#include "sinks/transport/request_engine.h"
#include "tests/sinks/transport/scripted_http_server.h"

namespace drs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::answer;
using testing::ScriptedAnswer;
using testing::ScriptedHttpServer;

// Every answer is a success.
class ContentProtocol final : public StoreProtocol {
 public:
  explicit ContentProtocol(std::string base) : base_(std::move(base)) {}
  Result<Credentials> authorise(const StoreRequest& request, HttpTransfer& transfer) override {
    transfer.url = base_ + request.path;
    return Credentials(std::make_shared<int>(0));
  }
  Judgement judge(const StoreRequest& /*request*/, const HttpTransfer& /*transfer*/) override { return {}; }
  Result<void> refresh(const Credentials& /*refused*/) override { return {}; }

 private:
  const std::string base_;
};

ScriptedAnswer silence() {
  return {.bytes = "", .close = false, .late = milliseconds(0)};
}

class RequestSilenceTest : public ::testing::Test {
 protected:
  void serve(std::vector<ScriptedAnswer> script) {
    server_ = std::make_unique<ScriptedHttpServer>(std::move(script));
    protocol_ = std::make_unique<ContentProtocol>(server_->url(""));
    auto client = HttpClient::make({.ca_file = "", .quiet = {.stall = seconds(20), .answer = seconds(20)}});
    ASSERT_TRUE(client.ok());
    RequestEngine::Options options;
    options.retry = {milliseconds(1), milliseconds(20), seconds(20), milliseconds(400)};
    options.parallel_max = options.parallel_first = 2;
    options.cancel = &cancel_;
    options.cancel_grace = milliseconds(500);
    engine_ = std::make_unique<RequestEngine>(std::move(*client), *protocol_, clock_, options);
  }
  void meet_the_store() {
    StoreRequest first = request("GET");
    ASSERT_TRUE(engine_->perform(first).ok());
  }
  static StoreRequest request(std::string method, ByteView body = {}) {
    StoreRequest out;
    out.method = std::move(method);
    out.path = "/object";
    if (!body.empty()) out.body = {body};
    out.what = "ask for object";
    out.done = [](StoreRequest& finished) { ++*static_cast<int*>(finished.owner); };
    return out;
  }
  // Cancels once the server has received `requests`; returns how long all started requests took after that.
  milliseconds cancel_and_run(std::size_t requests) {
    std::chrono::steady_clock::time_point cancelled_at;
    std::thread operator_([&] {
      while (server_->requests().size() < requests) std::this_thread::sleep_for(milliseconds(1));
      std::this_thread::sleep_for(milliseconds(20));  // the engine waits for the answer by now
      cancelled_at = std::chrono::steady_clock::now();
      cancel_.cancel();
    });
    while (engine_->in_flight() > 0) engine_->run(true);
    const auto ended_at = std::chrono::steady_clock::now();
    operator_.join();
    return std::chrono::duration_cast<milliseconds>(ended_at - cancelled_at);
  }
  static void expect_cancelled(const StoreRequest& request) {
    ASSERT_FALSE(request.result.ok());
    EXPECT_EQ(request.result.error().code, ErrorCode::kCancelled) << request.result.error().message;
  }

  SystemClock clock_;
  CancelToken cancel_;
  std::unique_ptr<ScriptedHttpServer> server_;
  std::unique_ptr<ContentProtocol> protocol_;
  std::unique_ptr<RequestEngine> engine_;
  Bytes body_ = Bytes(1000, Byte{'x'});
};

TEST_F(RequestSilenceTest, ACancelEndsTheWaitForAnAnswerToARequestWithoutABodyAtOnce) {
  serve({answer(200), silence()});
  meet_the_store();
  std::vector<StoreRequest> requests(5, request("GET"));  // two run, three wait
  std::vector<int> done(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].owner = &done[i];
    engine_->start(requests[i]);
  }
  EXPECT_LT(cancel_and_run(3), milliseconds(400));
  EXPECT_EQ(done, std::vector<int>(requests.size(), 1));
  for (const StoreRequest& request : requests) expect_cancelled(request);
  EXPECT_TRUE(requests[0].doubtful);
  EXPECT_FALSE(requests[4].doubtful);
  EXPECT_EQ(server_->requests().size(), 3U);
}

TEST_F(RequestSilenceTest, ACancelLeavesARequestWithABodyAMomentAndThenItIsInDoubt) {
  serve({answer(200), silence()});
  meet_the_store();
  StoreRequest put = request("PUT", body_);
  int done = 0;
  put.owner = &done;
  engine_->start(put);
  const milliseconds took = cancel_and_run(2);
  EXPECT_GE(took, milliseconds(450));
  EXPECT_LT(took, seconds(3));
  EXPECT_EQ(done, 1);
  expect_cancelled(put);
  EXPECT_TRUE(put.doubtful);
}

TEST_F(RequestSilenceTest, ARequestWithABodyThatIsAnsweredWithinThatMomentSucceeds) {
  ScriptedAnswer late = answer(200);
  late.late = milliseconds(200);
  serve({answer(200), late});
  meet_the_store();
  StoreRequest put = request("PUT", body_);
  int done = 0;
  put.owner = &done;
  engine_->start(put);
  cancel_and_run(2);
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(put.result.ok());
}

TEST_F(RequestSilenceTest, WhatIsStartedAfterACancelIsAttemptedForAMomentOnly) {
  serve({answer(200), silence()});
  meet_the_store();
  cancel_.cancel();
  StoreRequest get = request("GET");
  const auto started = std::chrono::steady_clock::now();
  EXPECT_FALSE(engine_->perform(get).ok());
  expect_cancelled(get);
  EXPECT_LT(std::chrono::steady_clock::now() - started, seconds(3));
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(RequestSilenceTest, AnEndpointThatNeverAnsweredAnythingIsGivenUpWithinTheBriefBudget) {
  serve({silence()});
  StoreRequest get = request("GET");
  const auto started = std::chrono::steady_clock::now();
  const auto asked = engine_->perform(get);
  EXPECT_LT(std::chrono::steady_clock::now() - started, seconds(3));
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().code, ErrorCode::kUnavailable);
  const std::string& told = asked.error().message;
  EXPECT_NE(told.find("nothing has worked with this store yet"), std::string::npos) << told;
  EXPECT_EQ(told.find("--answer-timeout"), std::string::npos) << "a longer one would change nothing: " << told;
}

TEST_F(RequestSilenceTest, AStoreThatHasAnsweredMayTakeItsTime) {
  ScriptedAnswer late = answer(200);
  late.late = milliseconds(700);  // longer than the brief budget
  serve({answer(200), late});
  meet_the_store();
  StoreRequest get = request("GET");
  EXPECT_TRUE(engine_->perform(get).ok());
  EXPECT_EQ(server_->requests().size(), 2U);
}

}  // namespace
}  // namespace drs
