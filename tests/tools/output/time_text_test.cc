#include "tools/output/time_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdlib.h>
#include <time.h>

namespace drs {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Sets the local zone while it lives.
class LocalZone {
 public:
  explicit LocalZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~LocalZone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

std::int64_t parsed(const char* text, TimeEdge edge = TimeEdge::kBegin) {
  const auto time = parse_time(text, 42, edge);
  EXPECT_TRUE(time.ok()) << text;
  return time.ok() ? *time : -1;
}

TEST(TimeText, ReadsTimesWithAZone) {
  EXPECT_EQ(parsed("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parsed("1970-01-02T00:00Z"), 86400 * kSecond);
  EXPECT_EQ(parsed("2026-11-20T02:00:05Z"), 1795140005 * kSecond);
  EXPECT_EQ(parsed("2026-11-20 02:00:05+01:00"), 1795136405 * kSecond);
  EXPECT_EQ(parsed("2026-11-20t02:00:05-05:30"), 1795159805 * kSecond);
  EXPECT_EQ(parsed("2026-11-20T02:00:05.25Z"), 1795140005 * kSecond + kSecond / 4);
  EXPECT_EQ(parsed("2024-02-29T00:00Z"), 1709164800 * kSecond);
  EXPECT_EQ(parsed("1969-12-31T23:59:59Z"), -kSecond);
}

TEST(TimeText, ReadsLocalTimesWithoutAZone) {
  const LocalZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  EXPECT_EQ(parsed("2026-11-20"), parsed("2026-11-20T00:00:00+01:00"));
  EXPECT_EQ(parsed("2026-07-20T02:00"), parsed("2026-07-20T02:00:00+02:00"));
  EXPECT_EQ(parsed("2026-11-20 02:00:05"), parsed("2026-11-20T01:00:05Z"));
}

TEST(TimeText, ALocalTimeThatComesTwiceBeginsWithTheFirstAndEndsWithTheSecond) {
  const LocalZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  EXPECT_EQ(parsed("2026-10-25T02:30"), parsed("2026-10-25T02:30+02:00"));
  EXPECT_EQ(parsed("2026-10-25T02:30", TimeEdge::kEnd), parsed("2026-10-25T02:30+01:00", TimeEdge::kEnd));
  EXPECT_EQ(parsed("2026-10-25T03:00", TimeEdge::kEnd), parsed("2026-10-25T03:00+01:00", TimeEdge::kEnd));
  EXPECT_EQ(parsed("2026-10-25"), parsed("2026-10-25T00:00+02:00"));
  EXPECT_EQ(parsed("2026-10-25", TimeEdge::kEnd), parsed("2026-10-26T00:00+01:00") - 1);
}

TEST(TimeText, ALocalTimeThatTheClocksPassOverIsRefused) {
  const LocalZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  for (const TimeEdge edge : {TimeEdge::kBegin, TimeEdge::kEnd}) {
    const auto time = parse_time("2026-03-29T02:30", 0, edge);
    ASSERT_FALSE(time.ok());
    EXPECT_EQ(time.error().code, ErrorCode::kUsage);
    EXPECT_NE(time.error().message.find("with its zone"), std::string::npos);
  }
  EXPECT_EQ(parsed("2026-03-29T03:00"), parsed("2026-03-29T03:00+02:00"));
  // A day that has no midnight begins when the clocks go on.
  const LocalZone other("AAA-1BBB,M3.5.0/0,M10.5.0/3");
  EXPECT_EQ(parsed("2026-03-29"), parsed("2026-03-29T01:00+02:00"));
  EXPECT_EQ(parsed("2026-03-28", TimeEdge::kEnd), parsed("2026-03-29T01:00+02:00") - 1);
}

TEST(TimeText, TakesNowFromTheCaller) {
  EXPECT_EQ(parsed("now"), 42);
  EXPECT_EQ(parsed("now", TimeEdge::kEnd), 42);
}

TEST(TimeText, TheEndOfATimeIsTheEndOfWhatItNames) {
  const auto end_of = [](const char* text) { return parsed(text, TimeEdge::kEnd); };
  EXPECT_EQ(end_of("1970-01-01T00:00Z"), 60 * kSecond - 1);
  EXPECT_EQ(end_of("1970-01-01T00:00:00Z"), kSecond - 1);
  EXPECT_EQ(end_of("1970-01-01T00:00:00.5Z"), kSecond * 6 / 10 - 1);
  EXPECT_EQ(end_of("1970-01-01T00:00:00.000000007Z"), 7);
  EXPECT_EQ(end_of("1969-12-31T23:59:59Z"), -1);
}

TEST(TimeText, ALocalDayEndsWhereTheNextBegins) {
  const LocalZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  constexpr std::pair<const char*, const char*> kDays[] = {{"2026-11-20", "2026-11-21"}, {"2026-12-31", "2027-01-01"},
                                                           {"2026-03-29", "2026-03-30"}, {"2026-10-25", "2026-10-26"},
                                                           {"2024-02-28", "2024-02-29"}, {"2024-02-29", "2024-03-01"}};
  for (const auto& [day, next] : kDays) EXPECT_EQ(parsed(day, TimeEdge::kEnd), parsed(next) - 1) << day;
}

TEST(TimeText, RefusesWhatIsNoTimeAndSaysWhatIsAccepted) {
  for (const char* text :
       {"", "today", "2026", "2026-11", "2026-13-01", "2026-00-01", "2026-02-30", "2023-02-29", "2026-11-20T",
        "2026-11-20T2:00", "2026-11-20T24:00", "2026-11-20T02:60", "2026-11-20T02:00:60", "2026-11-20T02:00:05.",
        "2026-11-20T02:00+1", "2026-11-20T02:00+01", "2026-11-20Z", "2026-11-20T02:00Zx", "20261120"}) {
    const auto time = parse_time(text, 0, TimeEdge::kEnd);
    ASSERT_FALSE(time.ok()) << text;
    EXPECT_EQ(time.error().code, ErrorCode::kUsage);
    EXPECT_NE(time.error().message.find("2026-11-20T02:00"), std::string::npos);
  }
}

TEST(TimeText, AYearThatCannotBeStoredIsRefusedByItsLimits) {
  for (const char* text : {"0001-01-01", "1699-12-31", "2262-01-01", "9999-12-31"}) {
    const auto time = parse_time(text, 0, TimeEdge::kEnd);
    ASSERT_FALSE(time.ok()) << text;
    EXPECT_EQ(time.error().code, ErrorCode::kUsage);
    EXPECT_NE(time.error().message.find("below 2262"), std::string::npos) << time.error().message;
  }
  EXPECT_EQ(format_time_utc(parsed("2261-12-31T23:59:59-23:59")), "2262-01-01T23:58:59.000000000Z");
  EXPECT_EQ(format_time_utc(parsed("1700-01-01T00:00Z")), "1700-01-01T00:00:00.000000000Z");
}

TEST(TimeText, AClockBeyondWhatCanBeStoredIsRefused) {
  EXPECT_TRUE(check_clock(9'214'646'399).ok());
  const auto checked = check_clock(9'214'646'400);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, ErrorCode::kUsage);
  EXPECT_NE(checked.error().message.find("2262-01-01T00:00:00Z"), std::string::npos) << checked.error().message;
}

TEST(TimeText, PrintsLocalTimeForPeopleAndUtcForMachines) {
  const LocalZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  const std::int64_t time = parsed("2026-11-20T01:00:05.000000007Z");
  EXPECT_EQ(format_time_local(time), "2026-11-20 02:00:05 +01:00");
  EXPECT_EQ(format_time_utc(time), "2026-11-20T01:00:05.000000007Z");
  EXPECT_EQ(format_time_utc(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(TimeText, ReadsBackTheLocalTimeWithZoneThatItPrints) {
  for (const char* name : {"UTC", "CET-1CEST,M3.5.0,M10.5.0/3", "NST3:30NDT,M3.2.0,M11.1.0"}) {
    const LocalZone zone(name);
    const std::int64_t time = parsed("2026-10-25T01:30:00Z");  // shown twice in Europe
    const auto back = parse_time(format_time_local(time), 0, TimeEdge::kBegin);
    ASSERT_TRUE(back.ok()) << name << " " << format_time_local(time);
    EXPECT_EQ(*back, time) << name << " " << format_time_local(time);
  }
  EXPECT_FALSE(parse_time("2026-11-20 02:00:05 ", 0, TimeEdge::kBegin).ok());
}

RC_GTEST_PROP(TimeText, ReadsBackTheUtcThatItPrints, ()) {
  const auto edge = *rc::gen::element(TimeEdge::kBegin, TimeEdge::kEnd);
  const auto time = *rc::gen::inRange<std::int64_t>(-4'000'000'000LL * kSecond, 8'000'000'000LL * kSecond);
  const auto back = parse_time(format_time_utc(time), 0, edge);
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == time);
}

}  // namespace
}  // namespace drs
