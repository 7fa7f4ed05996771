#include "tools/repository/repository_directory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

class RepositoryDirectory : public ::testing::Test {
 protected:
  std::string make(const std::string& name) {
    const std::string path = directory_.file(name);
    std::filesystem::create_directories(path);
    return path;
  }
  std::string make_file(const std::string& name) {
    std::filesystem::create_directories(std::filesystem::path(directory_.file(name)).parent_path());
    std::ofstream(directory_.file(name)) << "x";
    return directory_.file(name);
  }
  static std::string refusal(const std::string& path) {
    const auto checked = check_new_directory(path);
    if (checked.ok()) return "";
    EXPECT_EQ(checked.error().code, ErrorCode::kUsage);
    return checked.error().message;
  }

  const test::TemporaryDirectory directory_;
};

TEST_F(RepositoryDirectory, IsEmptyOrNotThereYet) {
  EXPECT_EQ(refusal(make("empty")), "");
  EXPECT_EQ(refusal(directory_.file("not there")), "");
}

TEST_F(RepositoryDirectory, HoldsNothingOfAnybodyElse) {
  make_file("mine/letter.txt");
  EXPECT_NE(refusal(directory_.file("mine")).find("letter.txt"), std::string::npos);
  make("parent/repository/config");
  EXPECT_NE(refusal(directory_.file("parent")).find("repository"), std::string::npos);
  std::filesystem::create_directory_symlink(directory_.file("mine"), directory_.file("link"));
  EXPECT_NE(refusal(directory_.file("link")), "");
}

TEST_F(RepositoryDirectory, MayBeTheRootOfAFileSystem) {
  for (const char* name : {"lost+found", ".snapshot", ".zfs", ".Trash-1000", "System Volume Information"})
    make(std::string("disk/") + name);
  EXPECT_EQ(refusal(directory_.file("disk")), "");
}

TEST_F(RepositoryDirectory, LeavesWhatIsOursToInit) {
  make_file("killed/keys/00");
  make_file("there/config/00000001");
  make_file("there/notes.txt");
  EXPECT_EQ(refusal(directory_.file("killed")), "");
  EXPECT_EQ(refusal(directory_.file("there")), "");
}

TEST_F(RepositoryDirectory, LiesInNoOtherRepository) {
  make_file("r/config/00000001");
  for (const char* inside : {"r/packs", "r/new", "r/packs/3f/deep/new", "r/packs/../inner/"}) {
    EXPECT_NE(refusal(directory_.file(inside)).find(directory_.file("r") + ":"), std::string::npos) << inside;
  }
  make_file("other/config/app.conf");  // somebody else's config
  EXPECT_EQ(refusal(directory_.file("other/new")), "");
  std::filesystem::create_directory_symlink(make("r/packs"), directory_.file("link"));
  EXPECT_NE(refusal(directory_.file("link")), "");
}

}  // namespace
}  // namespace drs
