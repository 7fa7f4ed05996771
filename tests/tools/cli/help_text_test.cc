#include "tools/cli/help_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "tools/application.h"
#include "tools/cli/help_topics.h"
#include "tools/output/exit_code.h"

namespace drs {
namespace {

CommandEntry tree() {
  return command_tree(CommandModel().root);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void expect_80_columns(const std::string& text) {
  for (const std::string& line : lines_of(text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(HelpText, TheOverviewFitsAScreen) {
  const std::string text = overview_text(tree());
  EXPECT_LE(lines_of(text).size(), 24U) << text;
  expect_80_columns(text);
}

TEST(HelpText, TheOverviewNamesEachCommandOnceInItsGroup) {
  const CommandEntry root = tree();
  std::map<std::string, int> groups;
  for (const CommandGroup& group : command_groups())
    for (const std::string_view name : group.commands) ++groups[std::string(name)];
  EXPECT_EQ(groups.size(), root.children.size());
  const std::string text = overview_text(root);
  for (const CommandEntry& child : root.children) {
    EXPECT_EQ(groups[child.name()], 1) << child.name();
    EXPECT_NE(text.find(" " + child.name()), std::string::npos) << child.name();
  }
}

TEST(HelpText, ACommandBeginsWithUsageAndExamplesAndNamesWhatEveryoneNeeds) {
  const CommandEntry root = tree();
  const std::string text = help_of(root, {"push"});
  std::size_t from = 0;
  for (const char* part : {"Usage: drstream push STREAM [options] [--exec -- CMD...]", "Examples:", "STREAM",
                           "Options:", "Gates:", "For every command:", "-r,--repo,--repository PLACE",
                           "[DRSTREAM_REPOSITORY]", "--key-file FILE", "--json", "drstream help global"}) {
    const std::size_t at = text.find(part, from);
    ASSERT_NE(at, std::string::npos) << part << "\n" << text;
    from = at;
  }
  EXPECT_EQ(text.find("--storage-class"), std::string::npos);
}

TEST(HelpText, NothingIsWiderThanATerminal) {
  const CommandEntry root = tree();
  for (const CommandEntry& command : root.children) expect_80_columns(help_of(root, {command.name()}));
  for (const std::string& topic : help_topic_names(root)) expect_80_columns(help_of(root, {topic}));
}

TEST(HelpText, ExitCodesAreThoseOfTheTable) {
  const std::string text = help_of(tree(), {"exit-codes"});
  EXPECT_EQ(help_of(tree(), {"exit", "codes"}), text);
  std::string flat;  // unwrapped into one line
  std::unique_copy(text.begin(), text.end(), std::back_inserter(flat),
                   [](char a, char b) { return (a == ' ' || a == '\n') && (b == ' ' || b == '\n'); });
  std::ranges::replace(flat, '\n', ' ');
  for (const ExitCodeMeaning& row : exit_code_meanings()) {
    const std::string line = " " + std::to_string(static_cast<int>(row.exit)) + " " + std::string(row.meaning);
    EXPECT_NE(flat.find(line), std::string::npos) << line;
  }
  EXPECT_NE(flat.find("128+N Stopped by signal N."), std::string::npos);
}

TEST(HelpText, TheEnvironmentTopicNamesEachVariableOfAnOption) {
  const CommandEntry root = tree();
  const std::string text = help_of(root, {"environment"});
  const std::function<void(const CommandEntry&)> visit = [&](const CommandEntry& entry) {
    for (const OptionEntry& option : entry.options)
      if (!option.variable.empty()) {
        EXPECT_NE(text.find("  " + option.variable), std::string::npos) << option.variable;
      }
    for (const CommandEntry& child : entry.children) visit(child);
  };
  visit(root);
  EXPECT_NE(text.find("BACKUP_ENCRYPTION_KEY_FILE"), std::string::npos);
}

TEST(HelpText, TheGlobalTopicHasEachGlobalOption) {
  const CommandEntry root = tree();
  const std::string text = help_of(root, {"global"});
  for (const OptionEntry& option : root.options) {
    if (option.names.back() != "--help") {
      EXPECT_NE(text.find(option.names.back()), std::string::npos) << option.names.back();
    }
  }
}

TEST(HelpText, OfHelpNamesEachTopic) {
  const CommandEntry root = tree();
  const std::string text = help_of(root, {"help"});
  for (const std::string& topic : help_topic_names(root)) EXPECT_NE(text.find(topic), std::string::npos) << topic;
}

TEST(HelpText, WordsThatNameNothingGiveNone) {
  EXPECT_EQ(help_of(tree(), {"backup"}), "");
  EXPECT_EQ(help_of(tree(), {"push", "more"}), "");
  EXPECT_NE(help_of(tree(), {"key", "add"}), "");
}

}  // namespace
}  // namespace drs
