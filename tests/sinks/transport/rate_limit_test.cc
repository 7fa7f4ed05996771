#include "sinks/transport/rate_limit.h"

#include <gtest/gtest.h>

#include "sinks/transport/http_client.h"
#include "tests/sinks/transport/scripted_http_server.h"

namespace drs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

RateLimit::Time at(milliseconds time) {
  return RateLimit::Time(seconds(1000)) + time;
}

TEST(RateLimit, LetsNoMoreThroughThanItsRateWhoeverAsks) {
  RateLimit limit(100'000);
  std::size_t moved = 0;
  for (milliseconds time(0); time < seconds(10); time += milliseconds(1))
    for (int transfer = 0; transfer < 3; ++transfer)
      if (limit.open(at(time))) {
        limit.spend(7'000);
        moved += 7'000;
      }
  EXPECT_GE(moved, 990'000U);
  EXPECT_LE(moved, 1'010'000U);
}

TEST(RateLimit, SavesNothingUpForABurst) {
  RateLimit limit(100'000);
  ASSERT_TRUE(limit.open(at(milliseconds(0))));
  std::size_t moved = 0;
  while (limit.open(at(seconds(60)))) {
    limit.spend(1'000);
    moved += 1'000;
  }
  EXPECT_LE(moved, 11'000U);
}

TEST(RateLimit, TellsWhenItOpensAgain) {
  RateLimit limit(1'000);
  ASSERT_TRUE(limit.open(at(milliseconds(0))));
  limit.spend(5'000);
  EXPECT_EQ(limit.closed_for(at(milliseconds(4'000))), milliseconds(1'000));
  EXPECT_FALSE(limit.open(at(milliseconds(4'990))));
  EXPECT_TRUE(limit.open(at(milliseconds(5'000))));
  EXPECT_EQ(limit.closed_for(at(milliseconds(5'000))), milliseconds(0));
}

TEST(RateLimit, TakesPiecesThatFitItsRate) {
  EXPECT_EQ(RateLimit(1).piece_bytes(), 4U * kKiB);
  EXPECT_EQ(RateLimit(160 * kKiB).piece_bytes(), 10U * kKiB);
  EXPECT_EQ(RateLimit(kGiB).piece_bytes(), 64U * kKiB);
}

// The sum over all clients, in both directions, and every byte arrives.
TEST(RateLimit, HoldsForAllTransfersOfAllClientsTogether) {
  const Bytes body(100 * kKiB, Byte{7});
  const std::string reply(100 * kKiB, 'x');
  testing::ScriptedHttpServer server({testing::answer(200, reply)});
  HttpClientOptions options;
  options.upload_limit = std::make_shared<RateLimit>(500 * kKiB);
  options.download_limit = std::make_shared<RateLimit>(500 * kKiB);
  auto first = HttpClient::make(options);
  auto second = HttpClient::make(options);
  ASSERT_TRUE(first.ok() && second.ok());

  const auto began = std::chrono::steady_clock::now();
  std::vector<HttpTransfer> transfers(4);
  std::vector<Bytes> answers(transfers.size(), Bytes(reply.size()));
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    transfers[i].method = "PUT";
    transfers[i].url = server.url();
    transfers[i].body = {body};
    transfers[i].destination = answers[i];
    transfers[i].done = [](HttpTransfer&) {};
    (i % 2 == 0 ? *first : *second)->start(transfers[i]);
  }
  while ((*first)->in_flight() + (*second)->in_flight() > 0) {
    (*first)->run(milliseconds(5));
    (*second)->run(milliseconds(5));
  }
  // 400 KiB each way at 500 KiB/s; a burst of a tenth of a second and one piece are free.
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(600));
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    EXPECT_FALSE(transfers[i].error) << transfers[i].error->message;
    EXPECT_EQ(transfers[i].received_bytes, reply.size());
    EXPECT_EQ(as_text(answers[i]), reply);
  }
  for (const testing::SeenRequest& request : server.requests()) EXPECT_EQ(request.body, as_text(body));
}

}  // namespace
}  // namespace drs
