#include "io/file_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/buffer_pool.h"
#include "tests/io/read_source.h"
#include "tests/io/refusing_ring.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using test::random_bytes;
using test::read_to_end;

class FileSourceTest : public testing::TestWithParam<IoChoice> {
 protected:
  void SetUp() override {
    if (GetParam() == IoChoice::kUring && !probe_uring().uring_usable) GTEST_SKIP() << probe_uring().reason;
  }
  Result<std::unique_ptr<Source>> open(bool registered = true) {
    return make_file_source(path_, GetParam(), registered ? arena_.whole() : MutableByteView{});
  }
  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.file("dump");
  BufferArena arena_ = *BufferArena::map(4 * kMiB);
};

TEST_P(FileSourceTest, ReadsFilesOfEveryAwkwardSize) {
  const Bytes content = random_bytes(5 * kMiB, 1);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{512}, std::size_t{4095},
                                 std::size_t{4096}, std::size_t{4097}, 512 * kKiB - 1, 512 * kKiB, 512 * kKiB + 1,
                                 kMiB - 1, kMiB, kMiB + 1, 3 * kMiB + 12'345, 5 * kMiB}) {
    test::write_whole_file(path_, ByteView(content).first(size));
    for (const bool registered : {true, false}) {
      auto source = open(registered);
      ASSERT_TRUE(source.ok()) << source.error().message;
      EXPECT_EQ((*source)->size_hint_bytes(), size);
      const auto seen = read_to_end(**source, arena_.whole(), kMiB);
      ASSERT_TRUE(seen.ok()) << seen.error().message;
      EXPECT_TRUE(*seen == Bytes(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size))) << size;
      const auto proof = (*source)->conclude();
      ASSERT_TRUE(proof.ok()) << proof.error().message;
      EXPECT_EQ(proof->kind, ProducerProof::Kind::kFileEnd);
    }
  }
}

TEST_P(FileSourceTest, FillsUnalignedBuffersToo) {
  const Bytes content = random_bytes(300'000, 2);
  test::write_whole_file(path_, content);
  auto source = open();
  ASSERT_TRUE(source.ok());
  const auto seen = read_to_end(**source, arena_.whole().subspan(1, 70'000), 7000);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(*seen, content);
}

TEST_P(FileSourceTest, DescribesHowItReads) {
  test::write_whole_file(path_, random_bytes(10, 3));
  auto source = open();
  ASSERT_TRUE(source.ok());
  const std::string text = (*source)->io_description();
  EXPECT_EQ(text.find("io_uring") != std::string::npos, GetParam() == IoChoice::kUring) << text;
  EXPECT_NE(text.find("depth"), std::string::npos);
  EXPECT_EQ((*source)->name(), "file " + path_);
}

TEST_P(FileSourceTest, AFileThatGrowsMeanwhileIsNoBackup) {
  test::write_whole_file(path_, random_bytes(10'000, 4));
  auto source = open();
  ASSERT_TRUE(source.ok());
  test::write_whole_file(path_, random_bytes(10'005, 4));
  ASSERT_TRUE(read_to_end(**source, arena_.whole(), kMiB).ok());
  const auto proof = (*source)->conclude();
  ASSERT_FALSE(proof.ok());
  EXPECT_EQ(proof.error().code, ErrorCode::kSource);
  EXPECT_NE(proof.error().message.find("10000"), std::string::npos);
  EXPECT_NE(proof.error().message.find("10005"), std::string::npos);
}

TEST_P(FileSourceTest, AFileThatShrinksMeanwhileIsNoBackup) {
  for (const std::uint64_t left : {0U, 4096U, 5000U}) {
    test::write_whole_file(path_, random_bytes(10'000, 5));
    auto source = open();
    ASSERT_TRUE(source.ok());
    std::filesystem::resize_file(path_, left);
    const auto seen = read_to_end(**source, arena_.whole(), kMiB);
    ASSERT_FALSE(seen.ok());
    EXPECT_EQ(seen.error().code, ErrorCode::kSource);
    EXPECT_NE(seen.error().message.find("10000"), std::string::npos);
    EXPECT_EQ((*source)->conclude().error().code, ErrorCode::kSource);
  }
}

TEST_P(FileSourceTest, AFileWrittenToMeanwhileIsNoBackup) {
  test::write_whole_file(path_, random_bytes(10'000, 6));
  auto source = open();
  ASSERT_TRUE(source.ok());
  ASSERT_TRUE(read_to_end(**source, arena_.whole(), kMiB).ok());
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  EXPECT_EQ((*source)->conclude().error().code, ErrorCode::kSource);
}

TEST_P(FileSourceTest, CancelLeavesTheBuffersAlone) {
  test::write_whole_file(path_, random_bytes(5 * kMiB, 7));
  auto source = open();
  ASSERT_TRUE(source.ok());
  for (std::size_t i = 0; i < 4; ++i) (*source)->start(arena_.whole().subspan(i * kMiB, kMiB));
  (*source)->cancel();
  const auto got = (*source)->finish();
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kCancelled);
}

TEST_P(FileSourceTest, MayBeDroppedWithReadsUnderWay) {
  test::write_whole_file(path_, random_bytes(5 * kMiB, 8));
  auto source = open();
  ASSERT_TRUE(source.ok());
  for (std::size_t i = 0; i < 4; ++i) (*source)->start(arena_.whole().subspan(i * kMiB, kMiB));
}

TEST_P(FileSourceTest, ReadsWhereDirectIsRefused) {
  auto source = make_file_source("/proc/self/exe", GetParam(), arena_.whole());
  ASSERT_TRUE(source.ok());
  EXPECT_TRUE(read_to_end(**source, arena_.whole(), kMiB).ok());
}

TEST_P(FileSourceTest, ReadsOnWhenDirectReadsUnderWayAreRefused) {
  const Bytes content = random_bytes(3 * kMiB + 777, 9);
  test::write_whole_file(path_, content);
  auto ring = std::make_unique<test::RefusingRing>(*make_ring(GetParam(), kFileSourceRingDepth));
  const test::RefusingRing& refusing = *ring;
  auto source = make_file_source(path_, std::move(ring), arena_.whole());
  ASSERT_TRUE(source.ok());
  if ((*source)->io_description().find("O_DIRECT") == std::string::npos) GTEST_SKIP() << "no O_DIRECT here";
  const auto seen = read_to_end(**source, arena_.whole(), kMiB);
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  EXPECT_EQ(*seen, content);
  EXPECT_GT(refusing.refusals(), 1U);
  EXPECT_EQ((*source)->io_description().find("O_DIRECT"), std::string::npos);
  EXPECT_TRUE((*source)->conclude().ok());
}

TEST_P(FileSourceTest, RefusesWhatIsNoFile) {
  const auto directory = make_file_source(directory_.path(), GetParam(), {});
  ASSERT_FALSE(directory.ok());
  EXPECT_EQ(directory.error().code, ErrorCode::kUsage);
  const std::string fifo = directory_.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(make_file_source(fifo, GetParam(), {}).error().code, ErrorCode::kUsage);
  const auto missing = make_file_source(directory_.file("missing"), GetParam(), {});
  EXPECT_EQ(missing.error().code, ErrorCode::kSource);
  EXPECT_EQ(missing.error().error_number, ENOENT);
}

INSTANTIATE_TEST_SUITE_P(Backends, FileSourceTest, testing::Values(IoChoice::kUring, IoChoice::kPosix),
                         [](const auto& param) { return param.param == IoChoice::kUring ? "Uring" : "Posix"; });

}  // namespace
}  // namespace drs
