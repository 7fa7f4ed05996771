#include "engine/pipeline/keeping/calendar.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "tests/engine/pipeline/keeping/local_zone.h"

namespace drs {
namespace {

using test::local_ns;
using test::local_text;
using test::LocalZone;
using test::Summer;

constexpr WallNs kSecond = 1'000'000'000;
constexpr WallNs kHour = 3600 * kSecond;

std::int64_t hour_of(WallNs time_ns) {
  return period_number(civil_time(time_ns), Period::kHour);
}

TEST(Calendar, AgreesWithTheCLibraryOnEveryDay) {
  const LocalZone zone("UTC");
  for (WallNs day = local_ns("1968-01-01 00:00:00"); day < local_ns("2106-01-01 00:00:00"); day += 24 * kHour) {
    const std::time_t seconds = day / kSecond;
    std::tm time{};
    ::gmtime_r(&seconds, &time);
    char text[64];
    ASSERT_GT(std::strftime(text, sizeof text, "%Y %m %d %H %G %V", &time), 0U);
    int year = 0, month = 0, date = 0, hour = 0, week_year = 0, week = 0;
    ASSERT_EQ(std::sscanf(text, "%d %d %d %d %d %d", &year, &month, &date, &hour, &week_year, &week), 6);
    ASSERT_EQ(civil_time(day), (CivilTime{year, month, date, hour, week_year, week})) << text;
  }
}

TEST(Calendar, PeriodsOfLocalTimeBeginAtItsMidnight) {
  const LocalZone zone("Europe/Bucharest");
  const WallNs last = local_ns("2023-12-31 23:59:59");
  EXPECT_EQ(civil_time(last), (CivilTime{2023, 12, 31, 23, 2023, 52}));
  EXPECT_EQ(civil_time(last + kSecond), (CivilTime{2024, 1, 1, 0, 2024, 1}));
  EXPECT_EQ(last / kSecond % 86'400, 22 * 3600 - 1) << "it is 22 o'clock in UTC";
}

TEST(Calendar, EachPeriodHasANumberOfItsOwn) {
  const LocalZone zone("UTC");
  for (const auto& [period, step_ns, count] :
       {std::tuple{Period::kHour, kHour / 4, 4}, {Period::kDay, kHour, 24}, {Period::kWeek, 24 * kHour, 7}}) {
    std::int64_t number = period_number(civil_time(local_ns("2019-12-30 00:00:00")), period);  // a Monday
    int same = 0, periods = 1;
    for (int i = 0; i < 400 * count; ++i) {
      const std::int64_t next = period_number(civil_time(local_ns("2019-12-30 00:00:00") + i * step_ns), period);
      if (next == number) {
        ++same;
        continue;
      }
      ASSERT_GT(next, number);
      ASSERT_EQ(same, count);
      number = next;
      same = 1;
      ++periods;
    }
    EXPECT_EQ(periods, 400);
  }
}

TEST(Calendar, TheHourThatSummerTimeRepeatsIsOnePeriod) {
  const LocalZone zone("Europe/Bucharest");
  const WallNs first = local_ns("2023-10-29 03:30:00", Summer::kYes);
  const WallNs second = local_ns("2023-10-29 03:30:00", Summer::kNo);
  ASSERT_EQ(second - first, kHour);
  EXPECT_EQ(hour_of(first), hour_of(second));
  EXPECT_NE(hour_of(first - kHour), hour_of(first));
  EXPECT_NE(hour_of(second + kHour), hour_of(second));
}

TEST(Calendar, TheHourThatSummerTimeLeavesOutIsNoPeriod) {
  const LocalZone zone("Europe/Bucharest");
  const WallNs before = local_ns("2023-03-26 02:59:59");
  EXPECT_EQ(civil_time(before + kSecond).hour, 4);
  EXPECT_EQ(civil_time(before + kSecond).day, 26);
}

TEST(Calendar, EveryStoredTimeHasADate) {
  const LocalZone zone("Europe/Bucharest");
  EXPECT_EQ(civil_time(std::numeric_limits<WallNs>::min()).year, 1677);
  EXPECT_EQ(civil_time(std::numeric_limits<WallNs>::max()).year, 2262);
  EXPECT_EQ(civil_time(0).year, 1970);
  EXPECT_EQ(civil_time(-1), civil_time(-kSecond)) << "a nanosecond before 1970 is in the second before";
}

TEST(Calendar, GoesBackByTheCalendar) {
  const LocalZone zone("Europe/Bucharest");
  const auto from = [](const char* text, const CalendarSpan& span) {
    return local_text(time_before(local_ns(text), span));
  };
  EXPECT_EQ(from("2024-06-30 23:50:00", {.days = 30}), "2024-05-31 23:50:00");
  EXPECT_EQ(from("2024-06-30 23:50:00", {1, 6, 3, 2}), "2022-12-27 21:50:00");
  EXPECT_EQ(from("2024-03-01 00:00:00", {.days = 1}), "2024-02-29 00:00:00");
  EXPECT_EQ(from("2024-02-29 12:00:00", {.years = 1}), "2023-03-01 12:00:00");
  EXPECT_EQ(from("2024-02-29 12:00:00", {.years = 4}), "2020-02-29 12:00:00");
  EXPECT_EQ(from("2023-05-31 12:00:00", {.months = 1}), "2023-05-01 12:00:00") << "April has no 31st";
  EXPECT_EQ(from("2023-10-30 12:00:00", {.days = 1}), "2023-10-29 12:00:00") << "a day of 25 hours";
  EXPECT_EQ(from("2023-10-29 12:00:00", {.hours = 24}), "2023-10-28 13:00:00") << "24 hours of a day of 25";
  EXPECT_EQ(time_before(local_ns("2024-06-30 00:00:00") + 17, {.days = 1}), local_ns("2024-06-29 00:00:00") + 17);
}

TEST(Calendar, GoesBackNoFurtherThanATimeCanBe) {
  constexpr WallNs kLeast = std::numeric_limits<WallNs>::min();
  for (const WallNs from : {kLeast, WallNs{0}, std::numeric_limits<WallNs>::max()}) {
    constexpr std::int32_t kMost = kCalendarSpanMax;
    EXPECT_EQ(time_before(from, {.years = kMost}), kLeast);
    EXPECT_EQ(time_before(from, {kMost, kMost, kMost, kMost}), kLeast);
    EXPECT_EQ(time_before(from, {.months = kMost}), kLeast);
    EXPECT_EQ(time_before(from, {.days = kMost}), kLeast);
    EXPECT_LE(time_before(from, {.hours = kMost}), from);
  }
  EXPECT_EQ(time_before(kLeast, {}), kLeast);
}

}  // namespace
}  // namespace drs
