#include "tools/percent_text.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(PercentText, ReadsANumberWithItsSign) {
  const std::pair<const char*, double> cases[] = {
      {"10%", 0.10}, {"12.5%", 0.125}, {"12.5 %", 0.125}, {"0%", 0}, {"250%", 2.5}};
  for (const auto& [text, share] : cases) {
    const auto parsed = parse_percent(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_DOUBLE_EQ(*parsed, share) << text;
  }
}

TEST(PercentText, RefusesANumberWithoutASign) {
  for (const char* text : {"", "%", "10", "0.1", "-5%", "ten%", "1e3%", "nan%", "inf%", "10%%", "10  %"}) {
    const auto parsed = parse_percent(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_NE(parsed.error().message.find("12.5%"), std::string::npos);
  }
}

TEST(PercentText, NeverRoundsToAllOrNothing) {
  EXPECT_EQ(format_percent(0, 10), "0 %");
  EXPECT_EQ(format_percent(10, 10), "100 %");
  EXPECT_EQ(format_percent(999'999, 1'000'000), "99.9 %");
  EXPECT_EQ(format_percent(1, 1'000'000), "0.1 %");
  EXPECT_EQ(format_percent(1, 3), "33.3 %");
  EXPECT_EQ(format_percent(1, 0), "-");
}

}  // namespace
}  // namespace drs
