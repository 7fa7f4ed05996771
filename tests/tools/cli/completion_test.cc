#include "tools/cli/completion.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/io/temporary_directory.h"
#include "tools/application.h"

namespace drs {
namespace {

std::string output_of(const std::string& command) {
  std::string out;
  FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  if (const int status = ::pclose(pipe); status != 0) out += "exit " + std::to_string(status);
  return out;
}

bool has_program(const std::string& name) {
  return !output_of("command -v " + name).starts_with("exit");
}

CommandEntry tree() {
  return command_tree(CommandModel().root);
}

class BashCompletion : public ::testing::Test {
 protected:
  void SetUp() override { std::ofstream(script_) << bash_completion(tree()); }
  // What bash would offer behind `words`, the last of which is being typed.
  std::set<std::string> offered(const std::vector<std::string>& words) {
    std::string list;
    std::string typed = "drstream";
    for (const std::string& word : words) {
      list += " '" + word + "'";
      typed += " " + word;
    }
    const std::string line = "set -eu; PATH=" + directory_.path() + ":$PATH; source " + script_ +
                             "; COMP_WORDS=(drstream" + list + "); COMP_CWORD=" + std::to_string(words.size()) +
                             "; COMP_LINE='" + typed + "'; COMP_POINT=${#COMP_LINE}; _drstream; " +
                             "printf \"%s\\n\" ${COMPREPLY[@]+\"${COMPREPLY[@]}\"}";
    std::ofstream(directory_.file("run.sh")) << line;
    std::istringstream lines(output_of("bash " + directory_.file("run.sh")));
    std::set<std::string> out;
    for (std::string word; std::getline(lines, word);) out.insert(word);
    return out;
  }
  test::TemporaryDirectory directory_;
  std::string script_ = directory_.file("completion.bash");
};

using Words = std::set<std::string>;

TEST_F(BashCompletion, OffersCommandsAndSubcommands) {
  EXPECT_EQ(offered({"pu"}), (Words{"pull", "push"}));
  EXPECT_EQ(offered({"key", ""}), (Words{"add", "list", "remove", "test"}));
  EXPECT_EQ(offered({"--memory", "1G", "-r", "key", "repair", ""}), (Words{"index", "packs"}));
}

TEST_F(BashCompletion, OffersTheOptionsOfTheCommandAndTheGlobalOnes) {
  EXPECT_EQ(offered({"push", "pg/app", "--max"}), (Words{"--max-growth", "--max-shrink"}));
  EXPECT_EQ(offered({"push", "--memo"}), (Words{"--memory"}));
  EXPECT_EQ(offered({"key", "add", "--new-k"}), (Words{"--new-key-file"}));
}

TEST_F(BashCompletion, OffersTheChoicesOfAValue) {
  EXPECT_EQ(offered({"push", "a", "--on-anomaly", ""}), (Words{"refuse", "tag"}));
  EXPECT_EQ(offered({"--io", "u"}), (Words{"uring"}));
}

// `drstream` prints its arguments, one a line, as if they were what the repository knows.
void stand_in(const std::string& path) {
  std::ofstream(path) << "#!/bin/sh\nprintf '%s\\n' \"$@\"\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

TEST_F(BashCompletion, AsksTheRepositoryThatTheLineNamesForStreamsAndSnapshots) {
  stand_in(directory_.file("drstream"));
  EXPECT_EQ(offered({"-r", "/x", "push", "pg"}), (Words{"-r", "/x", "complete", "streams", "--prefix", "pg"}));
  EXPECT_EQ(offered({"pull", "--key-file", "/k", "22"}),
            (Words{"--key-file", "/k", "complete", "snapshots", "--prefix", "22"}));
  EXPECT_EQ(offered({"show", "--repo=/y", ""}), (Words{"--repo=/y", "complete", "snapshots", "--prefix", ""}));
  EXPECT_EQ(offered({"copy", "--tag", "x", "--stream", "v"}), (Words{"complete", "streams", "--prefix", "v"}));
  EXPECT_TRUE(offered({"-r", "~/drs", "list", ""}).contains(std::string(::getenv("HOME")) + "/drs"));
}

TEST_F(BashCompletion, GivesWhatStandsBehindTheCharacterAtWhichBashCuts) {
  stand_in(directory_.file("drstream"));
  std::ofstream(directory_.file("drstream")) << "#!/bin/sh\necho pg/app@latest\necho pg/app@2026-11-20T02:00:05Z\n";
  EXPECT_EQ(offered({"pull", "pg/app@"}), (Words{"latest", "2026-11-20T02:00:05Z"}));
  EXPECT_EQ(offered({"push", "a", "--on-anomaly=r"}), (Words{"refuse"}));
}

TEST_F(BashCompletion, EvaluatesNothingThatIsTyped) {
  stand_in(directory_.file("drstream"));
  const std::string trap = directory_.file("trap");
  EXPECT_TRUE(offered({"-r", "$(touch${IFS}" + trap + ")", "list", ""}).contains("$(touch${IFS}" + trap + ")"));
  EXPECT_FALSE(std::filesystem::exists(trap));
}

TEST_F(BashCompletion, CompletesTheCommandBehindTheMark) {
  EXPECT_TRUE(offered({"push", "a", "--exec", "--", "mkfif"}).contains("mkfifo"));
  EXPECT_EQ(offered({"push", "a", "--exec", "--", "cat", script_.substr(0, script_.size() - 3)}), (Words{script_}));
}

TEST_F(BashCompletion, OffersTopicsBesideTheCommandsToHelp) {
  EXPECT_EQ(offered({"help", "e"}), (Words{"environment", "exit-codes"}));
  EXPECT_EQ(offered({"help", "pu"}), (Words{"pull", "push"}));
}

TEST(Completion, ZshTakesItsScript) {
  if (!has_program("zsh")) GTEST_SKIP() << "zsh is not installed";
  const test::TemporaryDirectory directory;
  std::ofstream(directory.file("_drstream")) << zsh_completion(tree());
  EXPECT_EQ(output_of("zsh -n " + directory.file("_drstream")), "");
}

TEST(Completion, FishTakesItsScript) {
  if (!has_program("fish")) GTEST_SKIP() << "fish is not installed";
  const test::TemporaryDirectory directory;
  std::ofstream(directory.file("drstream.fish")) << fish_completion(tree());
  EXPECT_EQ(output_of("fish --no-execute " + directory.file("drstream.fish")), "");
  EXPECT_EQ(output_of("fish -c 'source " + directory.file("drstream.fish") +
                      "; complete -C \"drstream --memory 1G key re\"'"),
            "remove\tRemove a key slot; the last one cannot be removed\n");
}

}  // namespace
}  // namespace drs
