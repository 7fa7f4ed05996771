#include "tools/word_list.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drs {
namespace {

using Words = std::vector<std::string>;

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

}  // namespace
}  // namespace drs
