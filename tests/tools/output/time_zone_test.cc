#include "tools/output/time_zone.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/engine/pipeline/keeping/local_zone.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

TEST(TimeZone, TimesAreThenOfThisZone) {
  if (::access("/usr/share/zoneinfo/Europe/Bucharest", R_OK) != 0) GTEST_SKIP() << "tzdata is not installed";
  const test::LocalZone restored("UTC");
  const WallNs moment = 1'700'000'000'000'000'000;
  EXPECT_EQ(format_time_local(moment), "2023-11-14 22:13:20 +00:00");
  ASSERT_TRUE(use_time_zone("Europe/Bucharest").ok());
  EXPECT_EQ(format_time_local(moment), "2023-11-15 00:13:20 +02:00");
  ASSERT_TRUE(use_time_zone("America/New_York").ok());
  EXPECT_EQ(format_time_local(moment), "2023-11-14 17:13:20 -05:00");
}

TEST(TimeZone, WhatIsNoZoneIsRefusedAndChangesNothing) {
  const test::LocalZone restored("UTC");
  for (const char* name :
       {"", "Europe/Bukarest", "Europe", "../zoneinfo/UTC", "/usr/share/zoneinfo/UTC", "Europe//Berlin", "Europe/",
        "./UTC", ":UTC", "zone.tab", "right/Europe/Berlin", "UTC\n", "EET-2EEST"}) {
    const auto used = use_time_zone(name);
    ASSERT_FALSE(used.ok()) << name;
    EXPECT_EQ(used.error().code, ErrorCode::kUsage);
    EXPECT_NE(used.error().message.find("Europe/Bucharest"), std::string::npos);
  }
  EXPECT_EQ(format_time_local(0), "1970-01-01 00:00:00 +00:00");
}

}  // namespace
}  // namespace drs
