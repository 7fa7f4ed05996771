#include "tools/output/quantity_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drs {
namespace {

TEST(CalendarSpanText, ReadsNumbersOfTheCalendar) {
  const std::pair<const char*, CalendarSpan> cases[] = {
      {"30d", {.days = 30}},
      {"1y6m3d2h", {1, 6, 3, 2}},
      {"2h1y", {1, 0, 0, 2}},
      {"2w", {.days = 14}},
      {"2w1d", {.days = 15}},
      {"0y1d", {.days = 1}},
      {"1000000h", {.hours = 1'000'000}},
  };
  for (const auto& [text, span] : cases) {
    const auto parsed = parse_calendar_span(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, span) << text;
    EXPECT_EQ(*parse_calendar_span(format_calendar_span(span)), span) << text;
  }
  EXPECT_EQ(format_calendar_span({1, 6, 3, 2}), "1y6m3d2h");
}

TEST(CalendarSpanText, RefusesWhatIsNoSpanAndSaysWhatIsAccepted) {
  for (const char* text : {"", "30", "d", "0d", "-1d", "+1d", "1 d", "1d ", "1s", "1min", "1D", "1d1d", "1y2y", "1.5y",
                           "1000001h", "1000000w", "99999999999d", "1d2", "142858w"}) {
    const auto parsed = parse_calendar_span(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_NE(parsed.error().message.find("1y6m"), std::string::npos) << parsed.error().message;
  }
}

TEST(SizeText, ReadsNumbersWithAndWithoutUnits) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"0", 0},
      {"4096", 4096},
      {"17B", 17},
      {"64KiB", 64 << 10},
      {"64k", 64 << 10},
      {"64KB", 64'000},
      {"64MiB", 64 << 20},
      {"64 MiB", 64 << 20},
      {"1G", std::uint64_t{1} << 30},
      {"1GB", 1'000'000'000},
      {"1.5G", std::uint64_t{3} << 29},
      {"0.5KiB", 512},
      {"2t", std::uint64_t{2} << 40},
      {"3PB", 3'000'000'000'000'000},
      {"18446744073709551615", UINT64_MAX},
  };
  for (const auto& [text, bytes] : cases) {
    const auto parsed = parse_size(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(SizeText, RefusesWhatIsNoSizeAndSaysWhatIsAccepted) {
  for (const char* text :
       {"", "MiB", "-1", "+1", "1X", "1.5", "1.G", "1..5G", "64 ", "64  M", " 64M", "1e6", "0x10", "1,5G"}) {
    const auto parsed = parse_size(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_NE(parsed.error().message.find("64MiB"), std::string::npos) << parsed.error().message;
  }
}

TEST(SizeText, RefusesWhatDoesNotFit64Bits) {
  EXPECT_FALSE(parse_size("18446744073709551616").ok());
  EXPECT_FALSE(parse_size("16384P").ok());
  EXPECT_TRUE(parse_size("16383P").ok());
}

TEST(SizeText, PrintsFewDigits) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1 KiB");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_EQ(format_size(64 << 20), "64 MiB");
  EXPECT_EQ(format_size((std::uint64_t{1} << 30) - 1), "1 GiB");
  EXPECT_EQ(format_size(123'456'789), "117.7 MiB");
  EXPECT_EQ(format_size(UINT64_MAX), "16 EiB");
}

RC_GTEST_PROP(SizeText, ReadsBackWhatItPrintsWithinOnePercent, ()) {
  const auto bytes = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 59);
  std::string text = format_size(bytes);
  if (text.ends_with("EiB")) return;
  const auto parsed = parse_size(text);
  RC_ASSERT(parsed.ok());
  const double difference = std::abs(static_cast<double>(*parsed) - static_cast<double>(bytes));
  RC_ASSERT(difference <= 0.01 * static_cast<double>(bytes));
}

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
