// Entries of a spool directory: their owners, their takeover, and their end.
#include "sinks/spool/spool_directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "sinks/object_io.h"
#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

using test::outcome;

class SpoolDirectoryTest : public testing::Test {
 protected:
  SpoolDirectory directory() {
    auto made = SpoolDirectory::make(path_);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return *std::move(made);
  }
  SpoolEntry entry(const std::string& owner) {
    auto made = directory().create(owner, cancel_);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return *std::move(made);
  }
  SpoolDirectory::Entries take() {
    auto entries = directory().take_dead(cancel_);
    EXPECT_TRUE(entries.ok()) << entries.error().message;
    return *std::move(entries);
  }

  CancelToken cancel_;
  test::TemporaryRoot root_;
  const std::string path_ = root_.path() + "/spool";
};

TEST_F(SpoolDirectoryTest, AnEntryIsRunningWhileItsProcessHoldsItAndDeadAfterThat) {
  {
    const SpoolEntry held = entry("repository at place");
    const auto entries = take();
    EXPECT_EQ(entries.running, std::vector<std::string>{held.path()});
    EXPECT_TRUE(entries.dead.empty());
  }
  const auto entries = take();
  ASSERT_EQ(entries.dead.size(), 1U);
  EXPECT_EQ(entries.dead.front().owner(), "repository at place");
  EXPECT_EQ(take().running.size(), 1U) << "taken: now it is ours";
}

TEST_F(SpoolDirectoryTest, NobodyElseCanLookInside) {
  const SpoolEntry held = entry("owner");
  for (const std::string& path : {path_, held.path(), held.path() + "/objects"}) {
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U) << path;
  }
}

TEST_F(SpoolDirectoryTest, AnEntryThatEndedIsGone) {
  SpoolEntry ended = entry("owner");
  ASSERT_TRUE(put_object(**ended.open_objects(IoChoice::kPosix), "packs/1", as_bytes("pack")).ok());
  ASSERT_TRUE(ended.end().ok());
  const auto entries = take();
  EXPECT_TRUE(entries.dead.empty());
  EXPECT_TRUE(entries.running.empty());
  EXPECT_FALSE(std::filesystem::exists(ended.path()));
}

TEST_F(SpoolDirectoryTest, WhatADeadProcessWasEndingIsEnded) {
  std::string path;
  {
    const SpoolEntry held = entry("owner");
    path = held.path();
  }
  const std::string ended = path_ + "/.ended-" + path.substr(path.rfind('/') + 1);
  std::filesystem::rename(path, ended);
  EXPECT_TRUE(take().dead.empty());
  EXPECT_FALSE(std::filesystem::exists(ended));
}

TEST_F(SpoolDirectoryTest, AnEntryThatWasNeverMadeWholeHasNoOwner) {
  directory();
  std::filesystem::create_directory(path_ + "/0123456789abcdef0123456789abcdef");
  const auto entries = take();
  ASSERT_EQ(entries.dead.size(), 1U);
  EXPECT_EQ(entries.dead.front().owner(), "");
}

TEST_F(SpoolDirectoryTest, LeavesAloneWhatIsNoEntry) {
  directory();
  std::filesystem::create_directory(path_ + "/lost+found");
  EXPECT_TRUE(take().dead.empty());
  EXPECT_TRUE(std::filesystem::exists(path_ + "/lost+found"));
}

TEST_F(SpoolDirectoryTest, OneStrangeEntryDoesNotHideTheOthers) {
  std::string good;
  {
    const SpoolEntry held = entry("repository at place");
    good = held.path();
  }
  std::ofstream(path_ + "/" + std::string(32, '0')) << "a file";
  std::filesystem::create_directories(path_ + "/" + std::string(32, '1') + "/lock");
  const auto entries = take();
  ASSERT_EQ(entries.dead.size(), 1U);
  EXPECT_EQ(entries.dead.front().path(), good);
  EXPECT_EQ(entries.unreadable.size(), 2U);
}

TEST_F(SpoolDirectoryTest, ACancelEndsTheWaitForAnotherProcess) {
  directory();
  const Fd other(::open((path_ + "/lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancel_.cancel();
  });
  EXPECT_EQ(outcome(directory().take_dead(cancel_)), "cancelled");
  EXPECT_EQ(outcome(directory().create("owner", cancel_)), "cancelled");
  canceller.join();
}

TEST_F(SpoolDirectoryTest, OneThatIsNotThereIsNotMadeToLookInside) {
  EXPECT_EQ(outcome(SpoolDirectory::open(path_)), "not-found");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace drs
