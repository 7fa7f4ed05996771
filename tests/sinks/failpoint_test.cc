#include "io/failpoint.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

using test::outcome;

class FailpointTest : public testing::Test {
 protected:
  ~FailpointTest() override { set_failpoints("", ""); }
};

TEST_F(FailpointTest, DoesNothingWhileUnset) {
  EXPECT_TRUE(failpoint("test.point").ok());
}

TEST_F(FailpointTest, FailsAtTheNthHitOfItsNameAndOnlyThen) {
  set_failpoints("test.point:2:enospc", "");
  EXPECT_EQ(outcome(failpoint("test.point")), "ok");
  EXPECT_EQ(outcome(failpoint("test.other")), "ok");
  EXPECT_EQ(outcome(failpoint("test.point")), "no-space");
  EXPECT_EQ(outcome(failpoint("test.point")), "ok");
  set_failpoints("test.point:eio", "");
  EXPECT_EQ(outcome(failpoint("test.point")), "io");
}

TEST_F(FailpointTest, SaysSoWhenItCannotReadWhatItIsTold) {
  for (const char* text :
       {"abort", ":abort", "name:abrt", "name:0:abort", "name:x:abort", "name::abort", "name:1:2:eio"}) {
    set_failpoints(text, "");
    EXPECT_EQ(outcome(failpoint("name")), "usage") << text;
  }
}

TEST_F(FailpointTest, KillsTheProcess) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    set_failpoints("test.point:3:abort", "");
    for (int i = 0; i < 3; ++i) static_cast<void>(failpoint("test.point"));
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(FailpointTest, LogsEveryHit) {
  const test::TemporaryRoot root;
  const std::string path = root.path() + "/log";
  set_failpoints("", path);
  for (const char* name : {"a", "b", "a"}) EXPECT_TRUE(failpoint(name).ok());
  set_failpoints("", "");
  EXPECT_TRUE(failpoint("c").ok());
  std::ifstream log(path);
  std::vector<std::string> names;
  for (std::string line; std::getline(log, line);) names.push_back(line);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "a"}));
}

}  // namespace
}  // namespace drs
