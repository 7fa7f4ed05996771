#include "io/file_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "io/fd.h"
#include "tests/io/refusing_ring.h"
#include "tests/io/temporary_directory.h"

namespace {

// Records each sync and whether the file at `watched` existed then. The two functions below replace libc's in this
// program.
const char* watched = nullptr;
std::string syncs;  // NOLINT: written by the functions below
void note(const char* call) {
  if (watched != nullptr) syncs += std::string(call) + (::access(watched, F_OK) == 0 ? " named;" : " unnamed;");
}

}  // namespace

extern "C" int fdatasync(int fd) {
  note("data");
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
  note("directory");
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace drs {
namespace {

using test::random_bytes;
using test::read_whole_file;

class FileSinkTest : public testing::TestWithParam<IoChoice> {
 protected:
  void SetUp() override {
    if (GetParam() == IoChoice::kUring && !probe_uring().uring_usable) GTEST_SKIP() << probe_uring().reason;
  }
  Result<std::unique_ptr<Sink>> open(Existing existing = Existing::kRefuse,
                                     std::optional<std::uint64_t> size_hint = std::nullopt) {
    return make_file_sink(path_, existing, GetParam(), size_hint);
  }
  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.file("restored");
};

TEST_P(FileSinkTest, WritesFilesOfEveryAwkwardSize) {
  const Bytes content = random_bytes(6 * kMiB, 1);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4095}, std::size_t{4096},
                                 std::size_t{4097}, kMiB - 1, kMiB, kMiB + 1, 4 * kMiB, 5 * kMiB + 12'345, 6 * kMiB}) {
    for (const auto hint : {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(size),
                            std::optional<std::uint64_t>(size + 100'000)}) {
      auto sink = open(Existing::kReplace, hint);
      ASSERT_TRUE(sink.ok()) << sink.error().message;
      // The piece size divides no buffer or file size.
      for (std::size_t at = 0; at < size; at += 300'007) {
        ASSERT_TRUE((*sink)->write(ByteView(content).subspan(at, std::min<std::size_t>(300'007, size - at))).ok());
      }
      const auto committed = (*sink)->commit();
      ASSERT_TRUE(committed.ok()) << committed.error().message;
      EXPECT_TRUE(read_whole_file(path_) == Bytes(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size)))
          << size;
    }
  }
  EXPECT_EQ(directory_.entry_count(), 1U);
}

TEST_P(FileSinkTest, WritesOnWhenDirectWritesUnderWayAreRefused) {
  const Bytes content = random_bytes(6 * kMiB + 777, 3);
  auto ring = std::make_unique<test::RefusingRing>(*make_ring(GetParam(), kFileSinkRingDepth));
  const test::RefusingRing& refusing = *ring;
  auto sink = make_file_sink(path_, Existing::kRefuse, std::move(ring), std::nullopt);
  ASSERT_TRUE(sink.ok());
  if ((*sink)->io_description().find("O_DIRECT") == std::string::npos) GTEST_SKIP() << "no O_DIRECT here";
  const auto written = (*sink)->write(content);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_GT(refusing.refusals(), 1U);
  EXPECT_EQ((*sink)->io_description().find("O_DIRECT"), std::string::npos);
  const auto committed = (*sink)->commit();
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_EQ(read_whole_file(path_), content);
}

TEST_P(FileSinkTest, TheNameAppearsOnlyWithCommitAndIsPrivate) {
  auto sink = open();
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->write(random_bytes(2 * kMiB, 2)).ok());
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_EQ(directory_.entry_count(), 1U);
  ASSERT_TRUE((*sink)->commit().ok());
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_P(FileSinkTest, AbandonAndTheDestructorLeaveNothing) {
  for (const bool explicitly : {true, false}) {
    auto sink = open();
    ASSERT_TRUE(sink.ok());
    ASSERT_TRUE((*sink)->write(random_bytes(3 * kMiB, 3)).ok());
    if (explicitly) (*sink)->abandon();
    *sink = nullptr;
    EXPECT_EQ(directory_.entry_count(), 0U);
  }
}

TEST_P(FileSinkTest, RefusesToReplaceUnlessForced) {
  test::write_whole_file(path_, random_bytes(10, 4));
  const auto refused = open();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists);
  EXPECT_NE(refused.error().message.find("--force"), std::string::npos);
  auto forced = open(Existing::kReplace);
  ASSERT_TRUE(forced.ok());
  const Bytes content = random_bytes(20, 5);
  ASSERT_TRUE((*forced)->write(content).ok());
  ASSERT_TRUE((*forced)->commit().ok());
  EXPECT_EQ(read_whole_file(path_), content);
}

TEST_P(FileSinkTest, RefusesAFileThatAppearedMeanwhile) {
  auto sink = open();
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->write(random_bytes(10, 6)).ok());
  const Bytes others = random_bytes(10, 7);
  test::write_whole_file(path_, others);
  const auto committed = (*sink)->commit();
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().code, ErrorCode::kAlreadyExists);
  *sink = nullptr;
  EXPECT_EQ(read_whole_file(path_), others);
  EXPECT_EQ(directory_.entry_count(), 1U);
}

TEST_P(FileSinkTest, ForceReplacesWhatALinkPointsToAndNotTheLink) {
  const std::string link = directory_.file("link");
  test::write_whole_file(path_, random_bytes(10, 8));
  ASSERT_EQ(::symlink(path_.c_str(), link.c_str()), 0);
  auto sink = make_file_sink(link, Existing::kReplace, GetParam(), std::nullopt);
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->write(as_bytes("new")).ok());
  ASSERT_TRUE((*sink)->commit().ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(as_text(read_whole_file(path_)), "new");
}

TEST_P(FileSinkTest, ALinkToWhatIsNotThereIsRefusedAtOnce) {
  const std::string link = directory_.file("link");
  ASSERT_EQ(::symlink("restored", link.c_str()), 0);
  const auto sink = make_file_sink(link, Existing::kRefuse, GetParam(), std::nullopt);
  ASSERT_FALSE(sink.ok());
  EXPECT_EQ(sink.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(directory_.entry_count(), 1U);
}

TEST_P(FileSinkTest, ForceMakesWhatALinkNamesAndKeepsTheLink) {
  const std::string link = directory_.file("link");
  const std::string second = directory_.file("second");
  ASSERT_EQ(::symlink("second", link.c_str()), 0);
  ASSERT_EQ(::symlink(path_.c_str(), second.c_str()), 0);
  auto sink = make_file_sink(link, Existing::kReplace, GetParam(), std::nullopt);
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->write(as_bytes("new")).ok());
  ASSERT_TRUE((*sink)->commit().ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_TRUE(std::filesystem::is_symlink(second));
  EXPECT_EQ(as_text(read_whole_file(path_)), "new");
}

TEST_P(FileSinkTest, LinksThatGoInACircleAreRefused) {
  const std::string link = directory_.file("link");
  ASSERT_EQ(::symlink("link", link.c_str()), 0);
  EXPECT_FALSE(make_file_sink(link, Existing::kReplace, GetParam(), std::nullopt).ok());
  EXPECT_EQ(directory_.entry_count(), 1U);
}

TEST_P(FileSinkTest, AReplacedFileKeepsItsModeAndOwner) {
  test::write_whole_file(path_, random_bytes(10, 8));
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::chown(path_.c_str(), 1234, 2345), 0);
  }
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  auto sink = open(Existing::kReplace);
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->write(as_bytes("new")).ok());
  ASSERT_TRUE((*sink)->commit().ok());
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644U);
  if (root) {
    EXPECT_EQ(status.st_uid, 1234U);
    EXPECT_EQ(status.st_gid, 2345U);
  }
}

TEST_P(FileSinkTest, ANewFileIsItsOwnersAlone) {
  auto sink = open(Existing::kReplace);
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->commit().ok());
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_P(FileSinkTest, AFullDiskShowsAtOnceWithASizeHint) {
  const auto sink = open(Existing::kRefuse, std::uint64_t{1} << 50);
  ASSERT_FALSE(sink.ok());
  EXPECT_EQ(sink.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(directory_.entry_count(), 0U);
}

TEST_P(FileSinkTest, AWriteThatFailsIsReportedAndCommitsNothing) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler_before = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 2 * kMiB, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  auto sink = open();
  ASSERT_TRUE(sink.ok());
  Result<void> wrote;
  for (int i = 0; i < 20 && wrote.ok(); ++i) wrote = (*sink)->write(Bytes(kMiB));
  ASSERT_FALSE(wrote.ok());
  EXPECT_EQ(wrote.error().code, ErrorCode::kNoSpace) << wrote.error().message;
  EXPECT_FALSE((*sink)->commit().ok());
  *sink = nullptr;
  EXPECT_EQ(directory_.entry_count(), 0U);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler_before);
}

// The file system writes a part and then refuses the rest. A sink that took the short count for success would leave a
// file with a hole.
TEST_P(FileSinkTest, AWriteThatIsCutShortIsNotAll) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler_before = std::signal(SIGXFSZ, SIG_IGN);
  auto sink = open();
  ASSERT_TRUE(sink.ok());
  const rlimit small{.rlim_cur = 2 * kMiB + 8 * kKiB, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto wrote = (*sink)->write(random_bytes(3 * kMiB, 10));
  const auto committed = wrote.ok() ? (*sink)->commit() : wrote;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler_before);
  EXPECT_FALSE(committed.ok());
  *sink = nullptr;
  EXPECT_EQ(directory_.entry_count(), 0U);
}

TEST_P(FileSinkTest, SyncsTheFileBeforeItHasItsNameAndTheNameAfter) {
  auto sink = open();
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->write(random_bytes(kMiB + 100, 11)).ok());
  syncs.clear();
  watched = path_.c_str();
  const auto committed = (*sink)->commit();
  watched = nullptr;
  ASSERT_TRUE(committed.ok());
  EXPECT_EQ(syncs, "data unnamed;directory named;");
}

TEST_P(FileSinkTest, CancelEndsWriting) {
  auto sink = open();
  ASSERT_TRUE(sink.ok());
  (*sink)->cancel();
  EXPECT_EQ((*sink)->write(as_bytes("x")).error().code, ErrorCode::kCancelled);
}

TEST_P(FileSinkTest, WritesStraightToWhatIsNoRegularFile) {
  auto sink = make_file_sink("/dev/null", Existing::kRefuse, GetParam(), std::nullopt);
  ASSERT_TRUE(sink.ok());
  EXPECT_TRUE((*sink)->write(random_bytes(10'000, 9)).ok());
  EXPECT_TRUE((*sink)->commit().ok());
  auto full = make_file_sink("/dev/full", Existing::kRefuse, GetParam(), std::nullopt);
  ASSERT_TRUE(full.ok());
  EXPECT_EQ((*full)->write(as_bytes("x")).error().code, ErrorCode::kNoSpace);
}

TEST_P(FileSinkTest, RefusesDirectoriesAndMissingParents) {
  EXPECT_EQ(make_file_sink(directory_.path(), Existing::kReplace, GetParam(), std::nullopt).error().code,
            ErrorCode::kUsage);
  EXPECT_EQ(make_file_sink(directory_.file("no/such"), Existing::kReplace, GetParam(), std::nullopt).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(make_file_sink("", Existing::kReplace, GetParam(), std::nullopt).error().code, ErrorCode::kUsage);
}

INSTANTIATE_TEST_SUITE_P(Backends, FileSinkTest, testing::Values(IoChoice::kUring, IoChoice::kPosix),
                         [](const auto& param) { return param.param == IoChoice::kUring ? "Uring" : "Posix"; });

}  // namespace
}  // namespace drs
