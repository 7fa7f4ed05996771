#include "io/command_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace drs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

ChildOptions shell(const std::string& script) {
  ChildOptions options;
  options.argv = {"/bin/sh", "-c", script};
  options.stderr_to = -1;
  return options;
}

Result<SecretBytes> run(const ChildOptions& options) {
  CancelToken none;
  return command_output(options, 1000, none);
}

TEST(CommandOutput, IsWhatAGoodCommandPrinted) {
  for (const bool asks : {false, true}) {
    ChildOptions options = shell("printf 'correct horse'");
    options.asks_on_terminal = asks;
    const auto output = run(options);
    ASSERT_TRUE(output.ok()) << output.error().message;
    EXPECT_EQ(as_text(output->view()), "correct horse");
  }
  EXPECT_TRUE(run(shell("exit 0"))->empty());
}

TEST(CommandOutput, OfACommandThatFailsIsNothing) {
  const auto failed = run(shell("printf secret; echo 'no agent' >&2; exit 3"));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kSource);
  EXPECT_THAT(failed.error().message, HasSubstr("'/bin/sh' exited with status 3"));
  EXPECT_THAT(failed.error().message, HasSubstr("no agent"));
  EXPECT_THAT(failed.error().message, testing::Not(HasSubstr("secret")));
  EXPECT_EQ(run(shell("kill -9 $$")).error().code, ErrorCode::kSource);
  ChildOptions missing;
  missing.argv = {"passs-that-is-not-there"};
  EXPECT_EQ(run(missing).error().code, ErrorCode::kUsage);
}

TEST(CommandOutput, IsBounded) {
  EXPECT_EQ(run(shell("head -c 1000 /dev/zero"))->size(), 1000U);
  EXPECT_THAT(run(shell("head -c 1001 /dev/zero")).error().message, HasSubstr("printed more than 1000 bytes"));
  EXPECT_THAT(run(shell("exec yes")).error().message, HasSubstr("printed more than 1000 bytes"));
}

TEST(CommandOutput, DoesNotWaitForWhatTheCommandLeavesBehind) {
  const auto began = steady_clock::now();
  EXPECT_EQ(as_text(run(shell("printf ready; sleep 20 & exit 0"))->view()), "ready");
  EXPECT_LT(steady_clock::now() - began, seconds(10));
}

TEST(CommandOutput, EndsACommandAtItsDeadline) {
  ChildOptions options = shell("exec >&-; sleep 60");
  options.timeout = seconds(1);
  const auto began = steady_clock::now();
  const auto late = run(options);
  ASSERT_FALSE(late.ok());
  EXPECT_THAT(late.error().message, HasSubstr("did not finish within 1 s"));
  EXPECT_LT(steady_clock::now() - began, seconds(5));
}

TEST(CommandOutput, EndsACommandThatIsCancelled) {
  for (const bool asks : {false, true}) {
    ChildOptions options = shell("exec sleep 60");
    options.asks_on_terminal = asks;
    CancelToken cancel;
    std::thread canceller([&] {
      std::this_thread::sleep_for(milliseconds(50));
      cancel.cancel();
    });
    const auto began = steady_clock::now();
    const auto output = command_output(options, 1000, cancel);
    canceller.join();
    ASSERT_FALSE(output.ok());
    EXPECT_EQ(output.error().code, ErrorCode::kCancelled);
    EXPECT_LT(steady_clock::now() - began, seconds(4));
  }
}

}  // namespace
}  // namespace drs
