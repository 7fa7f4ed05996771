#include "sinks/transport/transfer_watch.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

using Phase = TransferWatch::Phase;
using std::chrono::seconds;

class TransferWatchTest : public ::testing::Test {
 protected:
  TransferWatchTest() { watch_.begin(at(0)); }
  static TransferWatch::Time at(int second) { return TransferWatch::Time(seconds(1000 + second)); }
  void note(Phase phase, std::uint64_t moved, int second, bool held_back = false) {
    watch_.note(phase, moved, held_back, at(second));
  }
  std::string stalled(int second) {
    const auto error = watch_.stalled(limits_, at(second));
    return error ? error->message : "";
  }

  const QuietLimits limits_{.stall = seconds(30), .stall_bytes_per_second = 1000, .answer = seconds(300)};
  TransferWatch watch_;
};

TEST_F(TransferWatchTest, WaitsForAnAnswerLongerThanForBytes) {
  note(Phase::kSending, 0, 1);
  EXPECT_EQ(stalled(30), "");
  EXPECT_NE(stalled(31).find("while the request was sent"), std::string::npos);
  note(Phase::kWaiting, 100'000, 40);
  EXPECT_EQ(stalled(339), "");
  EXPECT_NE(stalled(340).find("--answer-timeout"), std::string::npos);
  note(Phase::kReceiving, 100'100, 350);
  EXPECT_EQ(stalled(379), "");
  EXPECT_NE(stalled(380).find("while the answer came"), std::string::npos);
}

TEST_F(TransferWatchTest, ATrickleIsAStallAndASlowWayIsNone) {
  std::uint64_t moved = 0;
  int second = 1;
  for (; second < 200; second += 10) {
    note(Phase::kSending, moved += 15'000, second);  // 1.5 times the minimum
    ASSERT_EQ(stalled(second), "") << second;
  }
  const int slower = second;
  while (second < slower + 60 && stalled(second).empty()) note(Phase::kSending, moved += 500, ++second);
  EXPECT_LT(second, slower + 45);
  EXPECT_LT(watch_.quiet_for(at(second)), seconds(1));
}

TEST_F(TransferWatchTest, NeitherConnectingNorWaitingForATurnIsAStall) {
  EXPECT_EQ(stalled(1000), "");
  note(Phase::kSending, 0, 1000);
  for (int second = 1000; second < 1200; second += 20) note(Phase::kSending, 10, second, true);
  EXPECT_EQ(stalled(1209), "");
  EXPECT_NE(stalled(1210), "");
}

TEST_F(TransferWatchTest, ARequestThatIsSentAnewBeginsAnew) {
  note(Phase::kSending, 0, 1);
  note(Phase::kSending, 50'000, 10);
  EXPECT_EQ(stalled(10), "");
  note(Phase::kSending, 10, 35);
  EXPECT_EQ(stalled(64), "");
  EXPECT_NE(stalled(65), "");
}

TEST_F(TransferWatchTest, KnowsSinceWhenNothingMoved) {
  EXPECT_EQ(watch_.quiet_for(at(7)), seconds(7));
  note(Phase::kSending, 0, 10);
  note(Phase::kSending, 5, 20);
  note(Phase::kSending, 5, 30);
  EXPECT_EQ(watch_.quiet_for(at(31)), seconds(11));
}

}  // namespace
}  // namespace drs
