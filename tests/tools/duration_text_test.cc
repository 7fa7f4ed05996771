#include "tools/duration_text.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

using std::chrono::milliseconds;

TEST(DurationText, ReadsNumbersWithUnits) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"500ms", 500},       {"30s", 30'000},     {"30", 30'000},     {"5m", 300'000},
      {"5min", 300'000},    {"2h", 7'200'000},   {"1d", 86'400'000}, {"2w", 2 * 604'800'000LL},
      {"1h30m", 5'400'000}, {"1m500ms", 60'500}, {"0s", 0},
  };
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, milliseconds(expected)) << text;
  }
}

TEST(DurationText, RefusesWhatIsNoDurationAndSaysWhatIsAccepted) {
  for (const char* text :
       {"", "s", "-5s", "1.5h", "5x", "5 m", "1h30", "5mm", "99999999999999999999s", "101w5300w", "5000w999w"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_NE(parsed.error().message.find("1h30m"), std::string::npos);
  }
}

TEST(DurationText, PrintsTwoUnitsAtMost) {
  using seconds = std::chrono::duration<double>;
  EXPECT_EQ(format_duration(seconds(0.42)), "0.4 s");
  EXPECT_EQ(format_duration(seconds(12.4)), "12 s");
  EXPECT_EQ(format_duration(seconds(59.7)), "1 min 00 s");
  EXPECT_EQ(format_duration(seconds(185)), "3 min 05 s");
  EXPECT_EQ(format_duration(seconds(2 * 3600 + 7 * 60 + 1)), "2 h 07 min");
  EXPECT_EQ(format_duration(seconds(3 * 86400 + 4 * 3600)), "3 d 04 h");
  EXPECT_EQ(format_duration(seconds(-1)), "0.0 s");
}

}  // namespace
}  // namespace drs
