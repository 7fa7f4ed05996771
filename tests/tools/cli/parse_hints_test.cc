#include "tools/cli/parse_hints.h"

#include <gtest/gtest.h>

#include <set>

#include "tools/application.h"
#include "tools/cli/command_tree.h"

namespace drs {
namespace {

// What is said of a command line that is refused.
std::string refusal(const std::vector<std::string>& words) {
  CommandModel model;
  Arguments arguments;
  arguments.own = words;
  try {
    model.root.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::Error& error) {
    const CLI::App* app = &model.root;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
    return parse_error_text(error, *app, arguments);
  }
  return "";
}

TEST(ParseHints, AWordThatIsNearlyACommandIsAskedFor) {
  EXPECT_EQ(refusal({"pus", "pg/app"}), "there is no command 'pus'; did you mean 'push'?");
  EXPECT_EQ(refusal({"key", "ad"}), "there is no command 'key ad'; did you mean 'add'?");
  EXPECT_NE(refusal({"frobnicate"}).find("accepted are "), std::string::npos);
}

TEST(ParseHints, TheWordsOfOtherToolsLeadToOursOrSayThatThereIsNothing) {
  EXPECT_NE(refusal({"backup", "/home"}).find("`drstream push STREAM`"), std::string::npos);
  EXPECT_NE(refusal({"-r", "/x", "snapshots"}).find("`drstream list`"), std::string::npos);
  EXPECT_NE(refusal({"stanza-create", "--stanza=x"}).find("`drstream init`"), std::string::npos);
  EXPECT_NE(refusal({"check"}).find("`drstream verify`"), std::string::npos);
  EXPECT_NE(refusal({"expire"}).find("`drstream forget`"), std::string::npos);
  EXPECT_NE(refusal({"mount", "/mnt"}).find("cannot mount"), std::string::npos);
  const CommandEntry root = command_tree(CommandModel().root);
  for (const ForeignCommand& foreign : foreign_commands()) {
    const std::string name(foreign.name);
    EXPECT_EQ(find_command(root, {name}), nullptr) << name << " is a command of ours by now";
    EXPECT_NE(refusal({name}).find(foreign.advice), std::string::npos) << name;
    constexpr std::string_view kOurs = "`drstream ";
    for (std::size_t at = foreign.advice.find(kOurs); at != std::string_view::npos;
         at = foreign.advice.find(kOurs, at + 1)) {
      const std::string_view rest = foreign.advice.substr(at + kOurs.size());
      const std::string command(rest.substr(0, rest.find_first_of(" `")));
      EXPECT_NE(find_command(root, {command}), nullptr) << foreign.advice;
    }
  }
}

TEST(ParseHints, AnOptionGivenTwiceIsNamed) {
  EXPECT_EQ(refusal({"sweep", "--level", "digest", "--level", "decode"}),
            "--level is given 2 times, and takes one value: give it once");
  EXPECT_EQ(refusal({"pull", "pg/app", "-o", "x", "--output", "y", "-o", "z"}),
            "--output is given 3 times, and takes one value: give it once");
}

TEST(ParseHints, AnOptionThatThereIsNotIsNamedWithItsNearest) {
  EXPECT_EQ(refusal({"push", "pg/app", "--comression", "lz4"}),
            "there is no option '--comression'; did you mean '--compression'?");
  EXPECT_EQ(refusal({"list", "--repositry=/x"}), "there is no option '--repositry'; did you mean '--repository'?");
  EXPECT_EQ(refusal({"pull", "pg/app", "--to", "x"}), "there is no option '--to'");
  EXPECT_EQ(refusal({"pull", "pg/app", "-x"}), "there is no option '-x'");
  EXPECT_EQ(refusal({"pull", "pg/app", "pg/web"}), "unexpected argument 'pg/web'");
}

TEST(ParseHints, ExecWithoutTheMarkIsToldWhereItsCommandStands) {
  EXPECT_NE(refusal({"push", "pg/app", "--exec", "pg_dump", "app"}).find("drstream push ... --exec -- pg_dump ..."),
            std::string::npos);
  EXPECT_NE(refusal({"pull", "pg/app", "--exec", "pg_restore", "-d", "new"}).find("stands behind --"),
            std::string::npos);
  EXPECT_NE(refusal({"push", "pg/app", "--exec=pg_dump"}).find("--exec -- pg_dump ..."), std::string::npos);
  const std::string line = refusal({"push", "pg/app", "--exec", "pg_dump app | gzip"});
  EXPECT_NE(line.find("--exec -- bash -o pipefail -c 'pg_dump app | gzip'"), std::string::npos) << line;
  EXPECT_EQ(refusal({"push", "pg/app", "more"}).find("stands behind --"), std::string::npos);
}

}  // namespace
}  // namespace drs
