#include "tools/repository/keep_rules_text.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

// The rules of a command line.
Result<KeepRules> parsed(const std::string& text) {
  CLI::App app;
  KeepOptions options;
  add_keep_options(app, options);
  try {
    app.parse(text);
  } catch (const CLI::Error& error) {
    return Error(ErrorCode::kUsage, error.what());
  }
  return options.all();
}

TEST(KeepRulesText, OptionsAreRules) {
  const auto rules = parsed(
      "--keep-last 3 --keep-hourly 24 --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --keep-yearly unlimited "
      "--keep-within 1y6m --keep-tag env=prod --keep-tag release");
  ASSERT_TRUE(rules.ok()) << rules.error().message;
  EXPECT_EQ(
      *rules,
      (KeepRules{3, 24, 7, 4, 12, kKeepAll, {.years = 1, .months = 6}, {{"env", "prod"}, {"release", std::nullopt}}}));
  EXPECT_EQ(format_keep_rules(*rules),
            "--keep-last 3 --keep-hourly 24 --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --keep-yearly unlimited "
            "--keep-within 1y6m --keep-tag env=prod --keep-tag release");
  EXPECT_EQ(*parsed(format_keep_rules(*rules)), *rules);
}

TEST(KeepRulesText, MinusOneIsUnlimitedAsInRestic) {
  EXPECT_EQ(parsed("--keep-last -1")->last, kKeepAll);
  EXPECT_EQ(parsed("--keep-last=-1")->last, kKeepAll);
}

TEST(KeepRulesText, WithoutOptionsOrWithZerosThereAreNoRules) {
  EXPECT_TRUE(parsed("")->empty());
  EXPECT_TRUE(parsed("--keep-last 0 --keep-yearly 0")->empty());
}

TEST(KeepRulesText, WhatIsNoCountIsRefused) {
  for (const char* text : {"x", "1.5", "-2", "", "7d", "18446744073709551615", "18446744073709551616", " 7"}) {
    const auto count = parse_keep_count(text);
    ASSERT_FALSE(count.ok()) << text;
    EXPECT_EQ(count.error().code, ErrorCode::kUsage);
    EXPECT_NE(count.error().message.find("unlimited"), std::string::npos);
  }
  EXPECT_FALSE(parsed("--keep-daily x").ok());
  EXPECT_FALSE(parsed("--keep-tag 'a b=c'").ok());
}

TEST(KeepRulesText, AReasonSaysWhatIsSpecial) {
  using Place = KeepReason::Place;
  using Clock = KeepReason::Clock;
  EXPECT_EQ(format_reasons({{KeepRule::kDaily, Place::kNewest, Clock::kOwn},
                            {KeepRule::kWeekly, Place::kOldest, Clock::kOwn},
                            {KeepRule::kMonthly, Place::kNewest, Clock::kStore},
                            {KeepRule::kYearly, Place::kOldest, Clock::kStore}}),
            "daily, weekly (oldest), monthly (store's time), yearly (oldest, store's time)");
  EXPECT_EQ(format_reasons({}), "");
}

}  // namespace
}  // namespace drs
