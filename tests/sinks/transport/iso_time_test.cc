#include "sinks/transport/iso_time.h"

#include <gtest/gtest.h>

#include <limits>

namespace drs {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(IsoTime, ReadsTheFormsOfAnswers) {
  EXPECT_EQ(parse_iso_time("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_iso_time("2013-05-24T00:00:00Z"), 1369353600 * kSecond);
  EXPECT_EQ(parse_iso_time("2009-10-12T17:50:30.250Z"), 1255369830 * kSecond + 250'000'000);
  EXPECT_EQ(parse_iso_time("2009-10-12T17:50:30.1234567891Z"), 1255369830 * kSecond + 123'456'789);
  EXPECT_EQ(parse_iso_time("2009-10-12T19:50:30+02:00"), 1255369830 * kSecond);
  EXPECT_EQ(parse_iso_time("2009-10-12T12:20:30-05:30"), 1255369830 * kSecond);
}

TEST(IsoTime, RefusesEverythingElse) {
  for (const char* text :
       {"", "2013-05-24", "2013-05-24T00:00:00", "2013-05-24 00:00:00Z", "2013-05-24T00:00:00Zx",
        "2013-02-30T00:00:00Z", "2013-13-01T00:00:00Z", "2013-05-24T24:00:00Z", "2013-05-24T00:60:00Z",
        "2013-05-24T00:00:61Z", "2013-05-24T00:00:00.Z", "2013-05-24T00:00:00+0200", "2013-05-24T00:00:00+24:00",
        "1969-12-31T23:59:59Z", "9999-02-30T00:00:00Z", "-013-05-24T00:00:00Z", "20130524T000000Z"})
    EXPECT_FALSE(parse_iso_time(text)) << text;
}

TEST(IsoTime, ATimeThatIsTooFarAwayForNanosecondsIsTheLastOneThere) {
  EXPECT_EQ(parse_iso_time("2261-12-31T23:59:59Z"), 9214646399 * kSecond);
  for (const char* text : {"2262-01-01T00:00:00Z", "2262-04-12T00:00:00Z", "9999-12-31T23:59:59.999Z"})
    EXPECT_EQ(parse_iso_time(text), std::numeric_limits<std::int64_t>::max()) << text;
}

TEST(IsoTime, WritesTheFormsOfRequestsAndMessages) {
  EXPECT_EQ(format_basic_iso_time(1369353600 * kSecond + 999'999'999), "20130524T000000Z");
  EXPECT_EQ(format_basic_iso_time(1255369830 * kSecond), "20091012T175030Z");
  EXPECT_EQ(format_iso_time(1255369830 * kSecond), "2009-10-12T17:50:30Z");
}

}  // namespace
}  // namespace drs
