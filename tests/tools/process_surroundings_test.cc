#include "tools/process_surroundings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace drs {
namespace {

TEST(ProcessSurroundings, ACommandGivesWhatItPrints) {
  const SystemClock clock;
  const auto printed = process_surroundings({}, clock, nullptr).run_command("printf '%s' 'a b'");
  ASSERT_TRUE(printed.ok()) << printed.error().message;
  EXPECT_EQ(as_text(printed->view()), "a b");
  EXPECT_EQ(process_surroundings({}, clock, nullptr).run_command("/no/such/command").error().code, ErrorCode::kUsage);
}

TEST(ProcessSurroundings, ACommandThatHangsEndsWhenItIsCancelled) {
  const SystemClock clock;
  CancelToken cancel;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    cancel.cancel();
  });
  const auto started = std::chrono::steady_clock::now();
  const auto printed = process_surroundings({}, clock, &cancel).run_command("sleep 30");
  canceller.join();
  ASSERT_FALSE(printed.ok());
  EXPECT_EQ(printed.error().code, ErrorCode::kCancelled) << printed.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
}

}  // namespace
}  // namespace drs
