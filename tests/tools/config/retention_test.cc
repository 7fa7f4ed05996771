#include "tools/config/retention.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

Result<std::vector<Retention>> parsed(std::string_view text) {
  DRS_ASSIGN_OR_RETURN(const ConfigFile file, parse_config_file(text, "/etc/c.toml"));
  std::vector<Retention> out;
  for (const ConfigTable& table : file.retentions) {
    DRS_ASSIGN_OR_RETURN(out.emplace_back(), read_retention(table));
  }
  return out;
}

std::string refusal(std::string_view text) {
  const auto retentions = parsed(text);
  EXPECT_FALSE(retentions.ok()) << text;
  if (retentions.ok()) return "";
  EXPECT_EQ(retentions.error().code, ErrorCode::kUsage) << text;
  return retentions.error().message;
}

TEST(RetentionTables, HaveStreamsAndRules) {
  const auto retentions = parsed(
      "memory = \"1GiB\"\n"
      "[[retention]]\n"
      "streams = \"pg/*\"\n"
      "keep-hourly = 24\n"
      "keep-daily = 7\n"
      "keep-within = \"2d\"\n"
      "keep-tag = [\"release\", \"env=prod\"]\n"
      "[repository.a]\n"
      "place = '/mnt/a'\n"
      "[[retention]]\n"
      "streams = [\"etc\", \"home/\"]\n"
      "keep-last = \"unlimited\"\n");
  ASSERT_TRUE(retentions.ok()) << retentions.error().message;
  ASSERT_EQ(retentions->size(), 2U);
  EXPECT_EQ((*retentions)[0].streams, std::vector<std::string>{"pg/*"});
  KeepRules rules;
  rules.hourly = 24;
  rules.daily = 7;
  rules.within.days = 2;
  rules.tags = {{"env", "prod"}, {"release", std::nullopt}};
  EXPECT_EQ((*retentions)[0].rules, rules);
  EXPECT_EQ((*retentions)[0].origin, "/etc/c.toml:2");
  EXPECT_EQ((*retentions)[1].streams, (std::vector<std::string>{"etc", "home/"}));
  EXPECT_EQ((*retentions)[1].rules.last, kKeepAll);
}

TEST(RetentionTables, TheFirstThatMatchesAStreamCounts) {
  const auto retentions = parsed(
      "[[retention]]\nstreams = [\"pg/app\", \"etc\"]\nkeep-last = 1\n"
      "[[retention]]\nstreams = \"pg/\"\nkeep-last = 2\n"
      "[[retention]]\nstreams = \"*-test\"\nkeep-last = 3\n");
  ASSERT_TRUE(retentions.ok()) << retentions.error().message;
  const auto last = [&](const std::string& stream) {
    const Retention* const found = retention_of(*retentions, stream);
    return found == nullptr ? 0 : found->rules.last;
  };
  EXPECT_EQ(last("pg/app"), 1U);
  EXPECT_EQ(last("pg/app-test"), 2U);
  EXPECT_EQ(last("etc"), 1U);
  EXPECT_EQ(last("db/app-test"), 3U);
  EXPECT_EQ(last("etc/passwd"), 0U) << "a name is no prefix";
}

TEST(RetentionTables, SayOnWhichLineTheyAreNotAsTheyMustBe) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[[retention]]\nkeep-daily = 7\n", "/etc/c.toml:1: a retention is for no stream"},
      {"[[retention]]\nstreams = \"*\"\n", "/etc/c.toml:1: the retention has no rule"},
      {"[[retention]]\nstreams = \"*\"\nkeep-daily = 0\n", "/etc/c.toml:1: the retention has no rule"},
      {"[[retention]]\nstreams = \"a b\"\nkeep-daily = 7\n", "'a b' is not a stream name"},
      {"[[retention]]\nstreams = \"*\"\nkeep_daily = 7\n",
       "/etc/c.toml:3: a retention has no key 'keep_daily'; did you "
       "mean 'keep-daily'?"},
      {"[[retention]]\nstreams = \"*\"\nkeep-daily = \"x\"\n", "/etc/c.toml:3: "},
      {"[[retention]]\nstreams = \"*\"\nkeep-daily = -2\n", "/etc/c.toml:3: "},
      {"[[retention]]\nstreams = \"*\"\nkeep-daily = [7]\n", "/etc/c.toml:3: "},
      {"[[retention]]\nstreams = \"*\"\nkeep-within = 30\n", "/etc/c.toml:3: "},
      {"[[retention]]\nstreams = 5\nkeep-daily = 7\n", "/etc/c.toml:2: "},
      {"[[retention]]\nstreams = \"*\"\nkeep-tag = \"a b\"\n", "'a b' selects no tag"},
      {"[[retention]]\nstreams = \"*\"\nmemory = \"1GiB\"\n", "/etc/c.toml:3: a retention has no key 'memory'"},
      {"[[retention]]\n[retention.inner]\n", "there is no table 'inner'"},
      {"[retention]\nstreams = \"*\"\n", "/etc/c.toml:1: the rules of a retention stand below [[retention]]"},
      {"retention = 7\n", "stand below [[retention]]"},
      {"retention = [1]\n", "stand below [[retention]]"},
      {"[[other]]\nstreams = \"*\"\n",
       "there is no table 'other'; accepted are [repository.NAME], [[retention]] and [[expect]]"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_NE(refusal(text).find(expected), std::string::npos) << refusal(text);
}

}  // namespace
}  // namespace drs
