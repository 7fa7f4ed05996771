#include "tools/cli/reference_page.h"

#include <gtest/gtest.h>

#include "tools/application.h"
#include "tools/cli/help_text.h"

namespace drs {
namespace {

const std::string& page() {
  static const std::string kPage = reference_page(command_tree(CommandModel().root));
  return kPage;
}

TEST(ReferencePage, HasASectionForEachCommandThatIsNotHidden) {
  for (const char* part : {"\n### drstream push\n", "\n### drstream key\n", "\n### drstream key add\n",
                           "\n### drstream completion zsh\n", "\n## Exit status\n", "\n| 16 | ", "\n## Environment\n"})
    EXPECT_NE(page().find(part), std::string::npos) << part;
  EXPECT_EQ(page().find("### drstream man"), std::string::npos);
  EXPECT_EQ(page().find("### drstream complete\n"), std::string::npos);
}

TEST(ReferencePage, EscapesWhatMarkdownWouldTakeForEmphasis) {
  EXPECT_NE(page().find("\\* is any text"), std::string::npos);
}

TEST(WrappedText, BreaksBetweenWordsAndKeepsTheIndent) {
  EXPECT_EQ(wrapped_text("one two three", {.columns = 9, .indent = 2, .used = 2}), "one two\n  three\n");
  EXPECT_EQ(wrapped_text("a-word-that-is-longer b", {.columns = 5}), "a-word-that-is-longer\nb\n");
  EXPECT_EQ(wrapped_text("", {}), "\n");
}

}  // namespace
}  // namespace drs
