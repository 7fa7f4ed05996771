#include "io/file_system.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tests/io/refused_system_call.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using test::TemporaryDirectory;
using test::write_whole_file;

class RealFileSystemTest : public testing::Test {
 protected:
  void create(const std::string& path) {
    const auto opened = files_->open(path, {.write = true, .create_exclusive = true});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ASSERT_TRUE(files_->close(opened->fd).ok());
  }
  std::vector<std::string> names_in(const std::string& path) {
    std::vector<std::string> names;
    const auto listed = files_->list(path, [&](const FileInfo& info) -> Result<void> {
      names.push_back(info.name);
      return {};
    });
    EXPECT_TRUE(listed.ok());
    std::sort(names.begin(), names.end());
    return names;
  }
  TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_ = *open_file_system(directory_.path(), IoChoice::kAuto);
};

TEST(OpenFileSystem, RefusesARootThatIsNotThere) {
  const auto opened = open_file_system("/nonexistent/root", IoChoice::kAuto);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
}

TEST_F(RealFileSystemTest, RefusesPathsThatCouldLeaveTheRoot) {
  for (const char* path : {"", "/etc/passwd", "..", "../x", "a/../b", "a//b", "./a", "a/.", "a/"}) {
    const auto opened = files_->open(path, {});
    ASSERT_FALSE(opened.ok()) << path;
    EXPECT_EQ(opened.error().code, ErrorCode::kUsage) << path;
  }
  EXPECT_EQ(files_->stat(std::string("a\0b", 3)).error().code, ErrorCode::kUsage);
}

TEST_F(RealFileSystemTest, FollowsNoSymbolicLinks) {
  ASSERT_EQ(::symlink("/etc", directory_.file("etc").c_str()), 0);
  ASSERT_EQ(::symlink("/etc/passwd", directory_.file("passwd").c_str()), 0);
  EXPECT_FALSE(files_->open("etc/passwd", {}).ok());
  EXPECT_FALSE(files_->open("passwd", {}).ok());
  EXPECT_FALSE(files_->stat("etc/passwd").ok());
  EXPECT_EQ(files_->stat("passwd").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(files_->open("passwd", {}).error().code, ErrorCode::kCorrupt);
}

TEST(RealFileSystemDeathTest, FollowsNoSymbolicLinksWithoutOpenat2Either) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        test::refuse_system_call(SYS_openat2);
        const TemporaryDirectory directory;
        auto files = open_file_system(directory.path(), IoChoice::kPosix);
        const bool linked = ::symlink("/etc", directory.file("etc").c_str()) == 0;
        const bool made = (*files)->make_directory("a").ok() && (*files)->make_directory("a/b").ok();
        const bool created = (*files)->open("a/b/c", {.write = true, .create_exclusive = true}).ok();
        const bool found = (*files)->stat("a/b/c").ok() && (*files)->sync_directory("a/b").ok();
        const bool led_outside = (*files)->open("etc/passwd", {}).ok() || (*files)->stat("etc/passwd").ok();
        std::filesystem::remove_all(directory.path());
        std::exit(linked && made && created && found && !led_outside ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(RealFileSystemTest, OpensNothingButRegularFilesAndDoesNotHang) {
  ASSERT_EQ(::mkfifo(directory_.file("fifo").c_str(), 0600), 0);
  const auto opened = files_->open("fifo", {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
}

TEST_F(RealFileSystemTest, ListsWhatIsNoFileAsAFileWithoutBytes) {
  ASSERT_EQ(::symlink("/etc/passwd", directory_.file("link").c_str()), 0);
  ASSERT_EQ(::mkfifo(directory_.file("pipe").c_str(), 0600), 0);
  std::map<std::string, std::uint64_t> sizes;
  ASSERT_TRUE(files_
                  ->list("",
                         [&](const FileInfo& info) -> Result<void> {
                           sizes[info.name] = info.size_bytes;
                           EXPECT_FALSE(info.is_directory) << info.name;
                           return {};
                         })
                  .ok());
  EXPECT_EQ(sizes, (std::map<std::string, std::uint64_t>{{"link", 0}, {"pipe", 0}}));
}

TEST_F(RealFileSystemTest, CreateIsExclusiveAndPrivate) {
  create("a");
  const auto again = files_->open("a", {.write = true, .create_exclusive = true});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  struct stat status {};
  ASSERT_EQ(::stat(directory_.file("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(RealFileSystemTest, MissingFilesAreNotFoundAndNamed) {
  const auto opened = files_->open("missing", {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  EXPECT_NE(opened.error().message.find(directory_.file("missing")), std::string::npos);
  EXPECT_EQ(files_->stat("no/such").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->remove("missing").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->sync_directory("missing").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->list("missing", [](const FileInfo&) -> Result<void> { return {}; }).error().code,
            ErrorCode::kNotFound);
}

TEST_F(RealFileSystemTest, LinkAndRenameNeverReplace) {
  ASSERT_TRUE(files_->make_directory("sub").ok());
  EXPECT_EQ(files_->make_directory("sub").error().code, ErrorCode::kAlreadyExists);
  create("a");
  create("b");
  EXPECT_EQ(files_->link("a", "b").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(files_->rename_no_replace("a", "b").error().code, ErrorCode::kAlreadyExists);
  ASSERT_TRUE(files_->link("a", "sub/c").ok());
  ASSERT_TRUE(files_->rename_no_replace("b", "sub/d").ok());
  ASSERT_TRUE(files_->remove("a").ok());
  EXPECT_EQ(names_in("sub"), (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(names_in(""), (std::vector<std::string>{"sub"}));
  EXPECT_TRUE(files_->sync_directory("sub").ok());
  EXPECT_TRUE(files_->sync_directory("").ok());
  ASSERT_TRUE(files_->remove("sub/c").ok());
  ASSERT_TRUE(files_->remove("sub/d").ok());
  EXPECT_TRUE(files_->remove("sub").ok());
}

TEST_F(RealFileSystemTest, ReserveKeepsTheSizeAndTruncateSetsIt) {
  const auto opened = files_->open("a", {.write = true, .create_exclusive = true});
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(files_->reserve(opened->fd, kMiB).ok());
  EXPECT_TRUE(files_->reserve(opened->fd, 0).ok());
  EXPECT_EQ(*files_->size_of(opened->fd), 0U);
  EXPECT_TRUE(files_->truncate(opened->fd, 12'345).ok());
  EXPECT_EQ(*files_->size_of(opened->fd), 12'345U);
  EXPECT_EQ(files_->truncate(opened->fd, ~std::uint64_t{0}).error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE(files_->close(opened->fd).ok());
  const auto info = files_->stat("a");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->size_bytes, 12'345U);
  EXPECT_GT(info->modified_ns, 1'600'000'000'000'000'000);
}

TEST_F(RealFileSystemTest, DirectIsTakenWhereItWorksAndDroppedWhereNot) {
  const auto direct = files_->open("a", {.write = true, .create_exclusive = true, .direct = true});
  ASSERT_TRUE(direct.ok());
  EXPECT_EQ((::fcntl(direct->fd, F_GETFL) & O_DIRECT) != 0, direct->direct);
  EXPECT_EQ(::fcntl(direct->fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(direct->fd, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_TRUE(files_->close(direct->fd).ok());
  auto kernel_files = open_file_system("/proc/sys/kernel", IoChoice::kAuto);
  ASSERT_TRUE(kernel_files.ok());
  const auto buffered = (*kernel_files)->open("ostype", {.direct = true});
  ASSERT_TRUE(buffered.ok());
  EXPECT_FALSE(buffered->direct);
  EXPECT_TRUE((*kernel_files)->close(buffered->fd).ok());
}

TEST_F(RealFileSystemTest, ListReportsKindAndSizeAndStopsOnAnError) {
  write_whole_file(directory_.file("file"), test::random_bytes(100, 1));
  ASSERT_TRUE(files_->make_directory("sub").ok());
  ASSERT_TRUE(files_
                  ->list("",
                         [](const FileInfo& info) -> Result<void> {
                           EXPECT_EQ(info.is_directory, info.name == "sub");
                           if (info.name == "file") {
                             EXPECT_EQ(info.size_bytes, 100U);
                           }
                           return {};
                         })
                  .ok());
  const auto stopped =
      files_->list("", [](const FileInfo&) -> Result<void> { return Error(ErrorCode::kCancelled, "enough"); });
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST_F(RealFileSystemTest, KnowsItsFreeSpaceAndMakesRings) {
  EXPECT_GT(*files_->free_space_bytes(), 0U);
  EXPECT_EQ(files_->root_name(), directory_.path());
  EXPECT_TRUE(files_->make_ring(4).ok());
}

}  // namespace
}  // namespace drs
