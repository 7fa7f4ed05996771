#include "io/stream_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "io/pipe.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

class StreamSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    before_ = std::signal(SIGPIPE, SIG_IGN);  // as main does
    sink_ = *make_stream_sink(pipe_.write_end.get(), "stdout");
  }
  void TearDown() override { std::signal(SIGPIPE, before_); }
  void (*before_)(int) = nullptr;
  Pipe pipe_ = *make_pipe();
  std::unique_ptr<Sink> sink_;
};

TEST_F(StreamSinkTest, WritesMoreThanThePipeHoldsToASlowReader) {
  const Bytes expected = test::random_bytes(3 * kMiB + 17, 1);
  Bytes seen;
  std::thread reader([&] {
    Bytes piece(50'000);
    for (;;) {
      const ssize_t got = ::read(pipe_.read_end.get(), piece.data(), piece.size());
      if (got <= 0) return;
      seen.insert(seen.end(), piece.begin(), piece.begin() + got);
    }
  });
  EXPECT_TRUE(sink_->write(expected).ok());
  EXPECT_TRUE(sink_->commit().ok());
  pipe_.write_end = Fd();
  reader.join();
  EXPECT_EQ(seen, expected);
}

TEST_F(StreamSinkTest, LeavesTheSharedFlagsOfTheDescriptorAlone) {
  ASSERT_TRUE(sink_->write(as_bytes("x")).ok());
  EXPECT_EQ(::fcntl(pipe_.write_end.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(StreamSinkTest, AReaderThatWentAwayIsSinkClosed) {
  pipe_.read_end = Fd();
  const auto wrote = sink_->write(as_bytes("x"));
  ASSERT_FALSE(wrote.ok());
  EXPECT_EQ(wrote.error().code, ErrorCode::kSinkClosed);
}

TEST_F(StreamSinkTest, CancelEndsAWriteThatBlocks) {
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    sink_->cancel();
  });
  const auto wrote = sink_->write(Bytes(5 * kMiB));
  canceller.join();
  ASSERT_FALSE(wrote.ok());
  EXPECT_EQ(wrote.error().code, ErrorCode::kCancelled);
}

TEST_F(StreamSinkTest, AFullDeviceIsNoSpace) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  auto sink = make_stream_sink(full.get(), "stdout");
  ASSERT_TRUE(sink.ok());
  EXPECT_EQ((*sink)->write(as_bytes("x")).error().code, ErrorCode::kNoSpace);
}

TEST_F(StreamSinkTest, ARedirectedFileIsSynced) {
  const test::TemporaryDirectory directory;
  Fd file(::open(directory.file("out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  auto sink = make_owned_stream_sink(std::move(file), "stdout");
  ASSERT_TRUE(sink.ok());
  EXPECT_TRUE((*sink)->write(as_bytes("abc")).ok());
  EXPECT_TRUE((*sink)->commit().ok());
  EXPECT_EQ(as_text(test::read_whole_file(directory.file("out"))), "abc");
}

}  // namespace
}  // namespace drs
