// What the real and the simulated file system have in common: a test on the simulated one is worth nothing where the
// two differ.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "io/file_system.h"
#include "io/sim_file_system.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using test::TemporaryDirectory;

enum class Kind : std::uint8_t { kReal, kSim };

class FileSystemContract : public testing::TestWithParam<Kind> {
 protected:
  void create(const std::string& path) {
    const auto opened = files_->open(path, {.write = true, .create_exclusive = true});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ASSERT_TRUE(files_->close(opened->fd).ok());
  }
  std::unique_ptr<FileSystem> make() {
    if (GetParam() == Kind::kSim) return std::make_unique<SimFileSystem>(1);
    return *open_file_system(directory_.path(), IoChoice::kAuto);
  }
  // The name of the error's code, or "ok".
  template <typename T>
  static std::string outcome(const Result<T>& result) {
    return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
  }
  Result<void> list(const std::string& path) {
    return files_->list(path, [](const FileInfo&) { return Result<void>(); });
  }

  TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_ = make();
};

TEST_P(FileSystemContract, AFileInPlaceOfAFolderIsDamageAndNoTroubleWithTheDisk) {
  create("file");
  create("other");
  for (const std::string path : {"file/x", "file/x/y"}) {
    EXPECT_EQ(outcome(files_->open(path, {})), "corrupt") << path;
    EXPECT_EQ(outcome(files_->open(path, {.write = true, .create_exclusive = true})), "corrupt") << path;
    EXPECT_EQ(outcome(files_->stat(path)), "corrupt") << path;
    EXPECT_EQ(outcome(files_->link("other", path)), "corrupt") << path;
    EXPECT_EQ(outcome(files_->link(path, "new")), "corrupt") << path;
    EXPECT_EQ(outcome(files_->rename_no_replace("other", path)), "corrupt") << path;
    EXPECT_EQ(outcome(files_->rename_no_replace(path, "new")), "corrupt") << path;
    EXPECT_EQ(outcome(files_->remove(path)), "corrupt") << path;
    EXPECT_EQ(outcome(files_->make_directory(path)), "corrupt") << path;
    EXPECT_EQ(outcome(files_->sync_directory(path)), "corrupt") << path;
    EXPECT_EQ(outcome(list(path)), "corrupt") << path;
  }
  EXPECT_EQ(outcome(files_->sync_directory("file")), "corrupt");
  EXPECT_EQ(outcome(list("file")), "corrupt");
}

TEST_P(FileSystemContract, AFolderInPlaceOfAFileIsDamage) {
  ASSERT_TRUE(files_->make_directory("folder").ok());
  EXPECT_EQ(outcome(files_->open("folder", {})), "corrupt");
  EXPECT_EQ(outcome(files_->open("folder", {.write = true})), "corrupt");
  EXPECT_EQ(outcome(files_->open("folder", {.write = true, .create_exclusive = true})), "already-exists");
}

TEST_P(FileSystemContract, AMissingFolderIsAbsent) {
  create("other");
  for (const std::string path : {"no", "no/x", "no/x/y"}) {
    EXPECT_EQ(outcome(files_->open(path, {})), "not-found") << path;
    EXPECT_EQ(outcome(files_->stat(path)), "not-found") << path;
    EXPECT_EQ(outcome(files_->remove(path)), "not-found") << path;
    EXPECT_EQ(outcome(files_->link(path, "new")), "not-found") << path;
    EXPECT_EQ(outcome(files_->sync_directory(path)), "not-found") << path;
    EXPECT_EQ(outcome(list(path)), "not-found") << path;
  }
  EXPECT_EQ(outcome(files_->link("other", "no/x")), "not-found");
}

INSTANTIATE_TEST_SUITE_P(Both, FileSystemContract, testing::Values(Kind::kReal, Kind::kSim),
                         [](const auto& test) { return test.param == Kind::kReal ? "Real" : "Sim"; });

}  // namespace
}  // namespace drs
