#include "tools/tag_text.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(TagText, ReadsKeysAndValues) {
  const auto tags = parse_tags({"env=production", "note=a=b c", "empty="});
  ASSERT_TRUE(tags.ok());
  EXPECT_EQ(*tags, (std::map<std::string, std::string>{{"env", "production"}, {"note", "a=b c"}, {"empty", ""}}));
  EXPECT_EQ(format_tags(*tags), "empty= env=production note=a=b c");
}

TEST(TagText, RefusesWhatIsNoTagAndSaysWhatIsAccepted) {
  for (const char* text : {"", "env", "=x", "a b=c", "a=line\nfeed"}) {
    const auto tags = parse_tags({text});
    ASSERT_FALSE(tags.ok()) << text;
    EXPECT_NE(tags.error().message.find("KEY=VALUE"), std::string::npos);
  }
  EXPECT_FALSE(parse_tags({"a=1", "a=2"}).ok());
}

TEST(TagText, AKeyAloneSelectsAnyValueOfIt) {
  const auto wanted = parse_tag_filter({"anomaly", "env=production", "empty="});
  ASSERT_TRUE(wanted.ok());
  EXPECT_TRUE(has_tags({{"anomaly", "too small"}, {"env", "production"}, {"empty", ""}}, *wanted));
  EXPECT_FALSE(has_tags({{"env", "production"}, {"empty", ""}}, *wanted));
  EXPECT_FALSE(has_tags({{"anomaly", ""}, {"env", "production"}, {"empty", "not"}}, *wanted));
  for (const auto& texts : std::vector<std::vector<std::string>>{{""}, {"=x"}, {"a b"}, {"a", "a=1"}})
    EXPECT_FALSE(parse_tag_filter(texts).ok());
}

TEST(TagText, ASnapshotNeedsAllWantedTags) {
  const std::map<std::string, std::string> tags{{"a", "1"}, {"b", "2"}};
  EXPECT_TRUE(has_tags(tags, {}));
  EXPECT_TRUE(has_tags(tags, {{"a", "1"}}));
  EXPECT_TRUE(has_tags(tags, {{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(has_tags(tags, {{"a", "2"}}));
  EXPECT_FALSE(has_tags(tags, {{"a", "1"}, {"c", "3"}}));
}

}  // namespace
}  // namespace drs
