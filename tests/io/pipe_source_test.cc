#include "io/pipe_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "io/pipe.h"
#include "tests/io/read_source.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using test::random_bytes;
using test::read_to_end;

void write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    ASSERT_GT(wrote, 0);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
}

class PipeSourceTest : public testing::Test {
 protected:
  std::unique_ptr<Source> source(int fd) {
    auto made = make_pipe_source(fd, "stdin");
    EXPECT_TRUE(made.ok());
    return *std::move(made);
  }
  Pipe pipe_ = *make_pipe();
  Bytes buffers_ = Bytes(64 * kKiB);
};

TEST_F(PipeSourceTest, FillsBuffersFromManyShortReads) {
  const Bytes expected = random_bytes(200'001, 1);
  std::thread writer([&] {
    for (std::size_t at = 0; at < expected.size(); at += 777) {
      write_all(pipe_.write_end.get(),
                ByteView(expected).subspan(at, std::min<std::size_t>(777, expected.size() - at)));
    }
    pipe_.write_end = Fd();
  });
  const auto reader = source(pipe_.read_end.get());
  const auto seen = read_to_end(*reader, buffers_, buffers_.size());
  writer.join();
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(*seen, expected);
}

TEST_F(PipeSourceTest, AnEmptyPipeEndsAtOnceAndStaysEnded) {
  pipe_.write_end = Fd();
  const auto reader = source(pipe_.read_end.get());
  for (int i = 0; i < 2; ++i) {
    reader->start(buffers_);
    EXPECT_EQ(*reader->finish(), 0U);
  }
}

TEST_F(PipeSourceTest, ThePipesEndProvesNothing) {
  pipe_.write_end = Fd();
  const auto reader = source(pipe_.read_end.get());
  ASSERT_TRUE(read_to_end(*reader, buffers_, buffers_.size()).ok());
  const auto proof = reader->conclude();
  ASSERT_TRUE(proof.ok());
  EXPECT_EQ(proof->kind, ProducerProof::Kind::kUnseen);
  EXPECT_EQ(reader->size_hint_bytes(), std::nullopt);
  EXPECT_EQ(reader->name(), "stdin");
}

TEST_F(PipeSourceTest, EnlargesThePipe) {
  const int before_bytes = ::fcntl(pipe_.read_end.get(), F_GETPIPE_SZ);
  const auto reader = source(pipe_.read_end.get());
  EXPECT_GE(::fcntl(pipe_.read_end.get(), F_GETPIPE_SZ), before_bytes);
  EXPECT_NE(reader->io_description().find("pipe of"), std::string::npos);
}

TEST_F(PipeSourceTest, ReadsFromANonBlockingDescriptor) {
  ASSERT_TRUE(set_nonblocking(pipe_.read_end.get()).ok());
  const Bytes expected = random_bytes(5000, 2);
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    write_all(pipe_.write_end.get(), expected);
    pipe_.write_end = Fd();
  });
  const auto reader = source(pipe_.read_end.get());
  const auto seen = read_to_end(*reader, buffers_, buffers_.size());
  writer.join();
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(*seen, expected);
}

TEST_F(PipeSourceTest, CancelFromAnotherThreadEndsABlockedRead) {
  const auto reader = source(pipe_.read_end.get());
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    reader->cancel();
  });
  reader->start(buffers_);
  const auto got = reader->finish();
  canceller.join();
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kCancelled);
}

TEST_F(PipeSourceTest, ADescriptorThatCannotBeReadIsASourceError) {
  const auto reader = source(pipe_.write_end.get());
  ASSERT_EQ(::write(pipe_.write_end.get(), "x", 1), 1);
  reader->start(buffers_);
  pipe_.read_end = Fd();
  const auto got = reader->finish();
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kSource);
}

class RedirectedFile : public PipeSourceTest {
 protected:
  void SetUp() override {
    test::write_whole_file(path_, content_);
    file_ = Fd(::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  }
  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.file("dump");
  const Bytes content_ = random_bytes(100'000, 3);
  Fd file_{-1};
};

TEST_F(RedirectedFile, KnowsItsSizeAndProvesItsEnd) {
  ASSERT_EQ(::lseek(file_.get(), 1000, SEEK_SET), 1000);
  const auto reader = source(file_.get());
  EXPECT_EQ(reader->size_hint_bytes(), 99'000U);
  const auto seen = read_to_end(*reader, buffers_, buffers_.size());
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(*seen, Bytes(content_.begin() + 1000, content_.end()));
  const auto proof = reader->conclude();
  ASSERT_TRUE(proof.ok());
  EXPECT_EQ(proof->kind, ProducerProof::Kind::kFileEnd);
}

TEST_F(RedirectedFile, ThatGrowsMeanwhileIsNoBackup) {
  const auto reader = source(file_.get());
  write_all(file_.get(), as_bytes("more"));
  ASSERT_TRUE(read_to_end(*reader, buffers_, buffers_.size()).ok());
  const auto proof = reader->conclude();
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, ErrorCode::kSource);
  EXPECT_NE(proof.error().message.find("100000"), std::string::npos);
  EXPECT_NE(proof.error().message.find("100004"), std::string::npos);
}

TEST_F(RedirectedFile, ADirectoryIsRefused) {
  const Fd directory(::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto made = make_pipe_source(directory.get(), "stdin");
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace drs
