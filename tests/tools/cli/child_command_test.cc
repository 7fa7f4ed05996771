#include "tools/cli/child_command.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>

#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using Words = std::vector<std::string>;

TEST(Arguments, EverythingBehindTheFirstMarkIsTheChilds) {
  const char* const argv[] = {"drstream", "push", "pg/app", "--exec", "--", "sh", "-c", "--", "x"};
  const Arguments arguments = split_arguments(9, argv);
  EXPECT_EQ(arguments.own, (Words{"push", "pg/app", "--exec"}));
  EXPECT_EQ(arguments.child, (Words{"sh", "-c", "--", "x"}));
  EXPECT_TRUE(arguments.has_mark);
}

TEST(Arguments, WithoutAMarkAllIsOurs) {
  const char* const argv[] = {"drstream", "list", "-q"};
  const Arguments arguments = split_arguments(3, argv);
  EXPECT_EQ(arguments.own, (Words{"list", "-q"}));
  EXPECT_FALSE(arguments.has_mark);
}

TEST(WordList, SplitsAtBlanksOutsideQuotes) {
  EXPECT_EQ(*split_words("pass show backups"), (Words{"pass", "show", "backups"}));
  EXPECT_EQ(*split_words("  a\t'b c'  \"d 'e'\" "), (Words{"a", "b c", "d 'e'"}));
  EXPECT_EQ(*split_words("a'b'\"c\"d"), (Words{"abcd"}));
  EXPECT_EQ(*split_words("x '' y"), (Words{"x", "", "y"}));
  EXPECT_EQ(*split_words(R"(a\ b "c\"d\\e\f" 'g\h')"), (Words{"a b", "c\"d\\e\\f", "g\\h"}));
}

TEST(WordList, ExpandsNothing) {
  EXPECT_EQ(*split_words("echo $HOME * `x` | cat > y"), (Words{"echo", "$HOME", "*", "`x`", "|", "cat", ">", "y"}));
}

TEST(WordList, RefusesOpenQuotesAndNothing) {
  for (const char* text : {"", "  ", "a 'b", "a \"b", "a\\"}) {
    const auto words = split_words(text);
    ASSERT_FALSE(words.ok()) << text;
    EXPECT_EQ(words.error().code, ErrorCode::kUsage);
  }
}

RC_GTEST_PROP(WordList, SplitsWhatItJoined, (const Words& words)) {
  RC_PRE(!words.empty());
  const auto back = split_words(join_words(words));
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == words);
}

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
  for (const Words& words : {Words{"sh", "-c", "pg_dump app | gzip"}, Words{"/bin/bash", "-ec", "a|b"},
                             Words{"nice", "bash", "-e", "-c", "true || a | b"}, Words{"sh", "-c", "a |& b"}}) {
    const auto warning = unseen_pipe_warning(words);
    ASSERT_TRUE(warning) << words.back();
    EXPECT_NE(warning->find("bash -o pipefail -"), std::string::npos);
  }
  for (const Words& words :
       {Words{"bash", "-o", "pipefail", "-c", "a | b"}, Words{"bash", "-c", "set -o pipefail; a | b"},
        Words{"sh", "-c", "a || b"}, Words{"sh", "-c", "grep 'a|b' x"}, Words{"sh", "-c", "grep a\\|b x"},
        Words{"sh", "-c", "a >| b"}, Words{"sh", "-c"}, Words{"grep", "-c", "a|b"}, Words{}})
    EXPECT_FALSE(unseen_pipe_warning(words)) << (words.empty() ? "" : words.back());
}

TEST(ChildCommandCheck, TheCommandThatTheWarningNamesKeepsTheWordsAroundTheShell) {
  const struct {
    Words words;
    const char* advised;
  } cases[] = {
      {{"docker", "exec", "db", "sh", "-c", "pg_dump app | gzip"},
       "docker exec db bash -o pipefail -c 'pg_dump app | gzip'"},
      {{"sudo", "-u", "postgres", "/bin/sh", "-ec", "a | b"}, "sudo -u postgres bash -o pipefail -ec 'a | b'"},
      {{"env", "A=1 2", "sh", "-c", "a | \"$1\"", "x", "b"}, "env 'A=1 2' bash -o pipefail -c 'a | \"$1\"' x b"},
      {{"ssh", "host", "pg_dump app | gzip"}, R"(ssh host 'bash -o pipefail -c '\''pg_dump app | gzip'\''')"},
      {{"ssh", "-tp", "22", "-i", "k", "host", "a", "|", "b"},
       R"(ssh -tp 22 -i k host 'bash -o pipefail -c '\''a | b'\''')"},
      {{"ssh", "host", "sh -c 'a | b'"}, R"(ssh host 'bash -o pipefail -c '\''a | b'\''')"},
      // ssh drops the quotes of this one: the login shell runs the pipe.
      {{"ssh", "host", "bash", "-o", "pipefail", "-c", "a | b"}, R"(ssh host 'bash -o pipefail -c '\''a | b'\''')"},
  };
  for (const auto& [words, advised] : cases) {
    const auto warning = unseen_pipe_warning(words);
    ASSERT_TRUE(warning) << advised;
    EXPECT_TRUE(warning->ends_with(std::string("Use: --exec -- ") + advised)) << *warning;
  }
  for (const Words& words :
       {Words{"ssh", "host"}, Words{"ssh", "host", "pg_dump app"}, Words{"ssh", "-o", "a|b", "host", "x"},
        Words{"ssh", "host", "set -o pipefail; a | b"}, Words{"ssh", "host", "bash -o pipefail -c 'a | b'"},
        Words{"ssh", "host", "grep 'a|b' x"}, Words{"ssh"}, Words{"ssh", "-p"}})
    EXPECT_FALSE(unseen_pipe_warning(words)) << words.back();
}

TEST(ShellWord, IsQuotedWhereAShellWouldChangeIt) {
  for (const char* plain : {"/var/backups/drs", "@nightly", "s3://bucket/prefix", "A=1,2", "--x"})
    EXPECT_EQ(shell_word(plain), plain);
  EXPECT_EQ(shell_word("/mnt/my disk"), "'/mnt/my disk'");
  EXPECT_EQ(shell_word("/a?key-file=b&region=c"), "'/a?key-file=b&region=c'");
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace drs
