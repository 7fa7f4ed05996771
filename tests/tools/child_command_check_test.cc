#include "tools/child_command_check.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

TEST(ChildCommandCheck, ALineOfAShellInOneWordIsRefusedAndToldHow) {
  const auto line = check_child_command({"pg_dump app | gzip"});
  ASSERT_FALSE(line.ok());
  EXPECT_EQ(line.error().code, ErrorCode::kUsage);
  EXPECT_NE(line.error().message.find("--exec -- bash -o pipefail -c 'pg_dump app | gzip'"), std::string::npos);
  const auto words = check_child_command({"pg_dump -Fc app"});
  ASSERT_FALSE(words.ok());
  EXPECT_NE(words.error().message.find("--exec -- pg_dump -Fc app"), std::string::npos) << words.error().message;
}

TEST(ChildCommandCheck, AProgramWhoseNameHasABlankMayRun) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("my dump");
  EXPECT_FALSE(check_child_command({path}).ok());
  std::ofstream(path) << "#!/bin/sh\n";
  EXPECT_TRUE(check_child_command({path}).ok());
}

TEST(ChildCommandCheck, OneWordOrSeveralAreAProgramWithItsArguments) {
  EXPECT_TRUE(check_child_command({"no-such-program"}).ok()) << "it fails as a producer";
  EXPECT_TRUE(check_child_command({"pg_dump", "a b|c"}).ok());
  EXPECT_TRUE(check_child_command({}).ok());
}

TEST(ChildCommandCheck, APipeInAShellWithoutPipefailIsWarnedOf) {
  using Words = std::vector<std::string>;
  for (const Words& words : {Words{"sh", "-c", "pg_dump app | gzip"}, Words{"/bin/bash", "-ec", "a|b"},
                             Words{"nice", "bash", "-e", "-c", "true || a | b"}, Words{"sh", "-c", "a |& b"}}) {
    const auto warning = unseen_pipe_warning(words);
    ASSERT_TRUE(warning) << words.back();
    EXPECT_NE(warning->find("bash -o pipefail -c"), std::string::npos);
  }
  for (const Words& words :
       {Words{"bash", "-o", "pipefail", "-c", "a | b"}, Words{"bash", "-c", "set -o pipefail; a | b"},
        Words{"sh", "-c", "a || b"}, Words{"sh", "-c", "grep 'a|b' x"}, Words{"sh", "-c", "grep a\\|b x"},
        Words{"sh", "-c", "a >| b"}, Words{"sh", "-c"}, Words{"grep", "-c", "a|b"}, Words{}})
    EXPECT_FALSE(unseen_pipe_warning(words)) << (words.empty() ? "" : words.back());
}

}  // namespace
}  // namespace drs
