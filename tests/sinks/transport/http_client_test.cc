// One HTTP exchange with a server that never ends its answer, never answers, or sends too much.
#include "sinks/transport/http_client.h"

#include <gtest/gtest.h>

#include <thread>

#include "sinks/transport/retried_fetch.h"
#include "tests/sinks/transport/scripted_http_server.h"

namespace drs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::answer;
using testing::ScriptedAnswer;
using testing::ScriptedHttpServer;

constexpr std::size_t kTextBytesMax = 64 * kKiB;

// How long `run` takes.
template <typename Run>
milliseconds time_of(const Run& run) {
  const auto started = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
}

class HttpClientTest : public ::testing::Test {
 protected:
  void serve(ScriptedAnswer script) {
    server_ = std::make_unique<ScriptedHttpServer>(std::vector<ScriptedAnswer>{std::move(script)});
    HttpClientOptions options;
    options.quiet = {.stall = seconds(20), .answer = seconds(20)};
    options.cancel = &cancel_;
    auto client = HttpClient::make(options);
    ASSERT_TRUE(client.ok());
    client_ = std::move(*client);
  }
  // Cancels once the server has seen a request; returns how long `run` took.
  template <typename Run>
  milliseconds cancelled_in(const Run& run) {
    std::thread operator_([&] {
      while (server_->requests().empty()) std::this_thread::sleep_for(milliseconds(1));
      cancel_.cancel();
    });
    const milliseconds took = time_of(run);
    operator_.join();
    return took;
  }
  [[nodiscard]] HttpTransfer get() const {
    HttpTransfer transfer;
    transfer.method = "GET";
    transfer.url = server_->url();
    return transfer;
  }

  CancelToken cancel_;
  std::unique_ptr<ScriptedHttpServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTest, ACancelEndsTheWaitForAnAnswer) {
  serve({.bytes = "", .close = false, .late = milliseconds(0)});
  HttpTransfer transfer = get();
  EXPECT_LT(cancelled_in([&] { client_->perform(transfer); }), seconds(5));
  ASSERT_TRUE(transfer.error.has_value());
  EXPECT_EQ(transfer.error->code, ErrorCode::kCancelled);
  EXPECT_EQ(client_->in_flight(), 0U);
}

TEST_F(HttpClientTest, ACancelEndsAFetchOfCredentialsWithAllItsAttempts) {
  serve({.bytes = "", .close = false, .late = milliseconds(0)});
  HttpRequest request;
  request.url = server_->url();
  Result<HttpResponse> response = Error(ErrorCode::kInternal, "");
  EXPECT_LT(cancelled_in([&] { response = fetch_with_retries(client_->fetcher(), request); }), seconds(5));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(HttpClientTest, AnAnswerWithoutAnEndIsEndedWhereNoAnswerIsThatLong) {
  serve({.bytes = "HTTP/1.1 200 OK\r\n\r\n" + std::string(2 * kTextBytesMax, 'x'), .close = false, .late = {}});
  HttpTransfer transfer = get();
  EXPECT_LT(time_of([&] { client_->perform(transfer); }), seconds(5));
  ASSERT_TRUE(transfer.error.has_value());
  EXPECT_EQ(transfer.error->code, ErrorCode::kUnavailable);
  EXPECT_NE(transfer.error->message.find("longer than 65536 bytes"), std::string::npos) << transfer.error->message;
}

TEST_F(HttpClientTest, AnErrorWithoutAnEndIsReadToWhereItIsCut) {
  serve({.bytes = "HTTP/1.1 403 No\r\n\r\n" + std::string(2 * kTextBytesMax, 'x'), .close = false, .late = {}});
  HttpTransfer transfer = get();
  EXPECT_LT(time_of([&] { client_->perform(transfer); }), seconds(5));
  EXPECT_FALSE(transfer.error.has_value());
  EXPECT_EQ(transfer.status, 403);
  EXPECT_EQ(transfer.text, std::string(kTextBytesMax, 'x'));
}

TEST_F(HttpClientTest, HeadersWithoutAnEndEndTheTransfer) {
  std::string bytes = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 1000; ++i) bytes += "x-header: " + std::string(1000, 'x') + "\r\n";
  serve({.bytes = bytes, .close = false, .late = {}});
  HttpTransfer transfer = get();
  EXPECT_LT(time_of([&] { client_->perform(transfer); }), seconds(5));
  ASSERT_TRUE(transfer.error.has_value());
  EXPECT_EQ(transfer.error->code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, AnErrorThatEchoesTheRequestShowsNoCredentials) {
  const std::string token = "FwoGZXIvYXdzEXAMPLETOKEN";
  for (const int status : {403, 200}) {
    serve(answer(status, "<Error><Message>headers were " + token + "</Message></Error>", "x-echo: " + token + "\r\n"));
    HttpTransfer transfer = get();
    transfer.headers = {{"X-Amz-Security-Token", token}};
    client_->perform(transfer);
    EXPECT_EQ(transfer.status, status);
    EXPECT_EQ(transfer.text, "<Error><Message>headers were [removed]</Message></Error>");
    EXPECT_EQ(transfer.header("x-echo"), "[removed]");
  }
}

}  // namespace
}  // namespace drs
