#include "tools/repository/process_environment.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

TEST(ProcessEnvironment, ACommandGivesWhatItPrints) {
  const SystemClock clock;
  const auto printed = process_environment({}, clock, nullptr).run_command("printf '%s' 'a b'");
  ASSERT_TRUE(printed.ok()) << printed.error().message;
  EXPECT_EQ(as_text(printed->view()), "a b");
  EXPECT_EQ(process_environment({}, clock, nullptr).run_command("/no/such/command").error().code, ErrorCode::kUsage);
}

TEST(ProcessEnvironment, ACommandThatHangsEndsWhenItIsCancelled) {
  const SystemClock clock;
  CancelToken cancel;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    cancel.cancel();
  });
  const auto started = std::chrono::steady_clock::now();
  const auto printed = process_environment({}, clock, &cancel).run_command("sleep 30");
  canceller.join();
  ASSERT_FALSE(printed.ok());
  EXPECT_EQ(printed.error().code, ErrorCode::kCancelled) << printed.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
}

TEST(ProcessEnvironment, AFifoIsReadOnceItHasAWriterAndWaitedForUntilACancel) {
  const SystemClock clock;
  CancelToken cancel;
  const test::TemporaryDirectory folder;
  const std::string fifo = folder.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(fifo) << "settings"; });
  const auto written = process_environment({}, clock, &cancel).read_file(fifo);
  writer.join();
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(as_text(written->view()), "settings");

  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancel.cancel();
  });
  const auto waited = process_environment({}, clock, &cancel).read_file(fifo);
  canceller.join();
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code, ErrorCode::kCancelled) << waited.error().message;
}

// What is done after a cancel, such as letting go of a lock, needs credentials, too.
TEST(ProcessEnvironment, AFileIsReadAlsoAfterACancel) {
  const SystemClock clock;
  CancelToken cancel;
  cancel.cancel();
  const test::TemporaryDirectory folder;
  std::ofstream(folder.file("file")) << "settings";
  const auto read = process_environment({}, clock, &cancel).read_file(folder.file("file"));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(as_text(read->view()), "settings");
}

}  // namespace
}  // namespace drs
