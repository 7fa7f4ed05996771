#include "tools/commands/holding.h"

#include <gtest/gtest.h>

#include "engine/format/retention.h"
#include "tools/output/hold_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

constexpr WallNs kSecond = 1'000'000'000;
constexpr WallNs kDay = 86'400 * kSecond;
constexpr WallNs kNow = 20'000 * kDay;

TEST(Holding, LastsForADurationOrUntilTheEndOfATime) {
  EXPECT_EQ(*parse_hold_until("90d", kNow), kNow + 90 * kDay);
  EXPECT_EQ(*parse_hold_until("36h", kNow), kNow + 36 * 3600 * kSecond);
  EXPECT_EQ(*parse_hold_until("6m", kNow), kNow + 6 * 31 * kDay) << "months, and never too short";
  EXPECT_EQ(*parse_hold_until("2y1w", kNow), kNow + (2 * 366 + 7) * kDay);
  EXPECT_EQ(*parse_hold_until("2027-03-04T05:06Z", kNow), *parse_time("2027-03-04T05:06Z", kNow, TimeEdge::kEnd));
  EXPECT_EQ(*parse_hold_until("2027-03-04", kNow), *parse_time("2027-03-04", kNow, TimeEdge::kEnd));
  // A number without a unit may be meant as a year, or as days.
  for (const char* const text : {"", "90", "2027", "d", "90 d", "tomorrow", "-5d", "101y", "1h30m"}) {
    const auto refused = parse_hold_until(text, kNow);
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_NE(refused.error().message.find("90d"), std::string::npos) << refused.error().message;
  }
}

TEST(Holding, ARequestIsCheckedBeforeAnythingIsOpened) {
  const auto for_ever = hold_request({.until = "", .reason = "why"}, kNow);
  ASSERT_TRUE(for_ever.ok());
  EXPECT_EQ(for_ever->until_ns, 0);
  EXPECT_EQ(for_ever->reason, "why");
  EXPECT_FALSE(hold_request({.until = "2001-01-01", .reason = ""}, kNow).ok());
  EXPECT_FALSE(hold_request({.until = "", .reason = std::string(kHoldReasonBytesMax + 1, 'x')}, kNow).ok());
}

TEST(Holding, IsShownWithItsReason) {
  HeldSnapshot held;
  EXPECT_EQ(hold_text(held), "for ever");
  held.reason = "court\n\x1b[2J";
  EXPECT_EQ(hold_text(held).find('\x1b'), std::string::npos) << "a reason is text of whoever held it";
  held.reason = "court";
  held.until_ns = kNow;
  EXPECT_EQ(hold_text(held), "until " + format_time_local(kNow) + ": court");
  held.unreadable = Error(ErrorCode::kCorrupt, "rot");
  EXPECT_NE(hold_text(held).find("cannot be read (rot)"), std::string::npos);
}

}  // namespace
}  // namespace drs
