#include "engine/repository/holds.h"

#include <gtest/gtest.h>

#include "engine/repository/store_time.h"
#include "tests/engine/repository/holds_fixture.h"

namespace drs {
namespace {

using test::kDay;
using test::kNow;

class HoldsTest : public test::HoldsFixture {};

TEST_F(HoldsTest, OfAPrunerTheHighestNumberCounts) {
  EXPECT_FALSE(held());
  put(ObjectKind::kKept, 0, {});
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->until_ns, 0);
  put(ObjectKind::kKept, 1, {.until_ns = kNow + kDay});
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->until_ns, kNow + kDay);
  EXPECT_EQ(held()->reason, "1");
  put(ObjectKind::kKept, 2, {.until_ns = kNow});
  EXPECT_FALSE(held()) << "released";
}

// The clock of the machine that released it was ahead of the store's.
TEST_F(HoldsTest, AReleaseWhoseTimeIsStillToComeEndsTheHoldAtOnce) {
  put(ObjectKind::kKept, 0, {});
  put(ObjectKind::kKept, 1, {.held_ns = kNow + 10 * kDay, .until_ns = kNow + 10 * kDay});
  EXPECT_FALSE(held());
}

TEST_F(HoldsTest, EndAtTheirTimeByTheStoresClock) {
  put(ObjectKind::kKept, 0, {.until_ns = kNow + kDay});
  clock_.now_ns = kNow + kDay - 1;
  EXPECT_TRUE(held());
  clock_.now_ns = kNow + kDay;
  EXPECT_FALSE(held());
}

TEST_F(HoldsTest, OfAWriterCountForAYearAtMost) {
  put(ObjectKind::kHold, 0, {});
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->until_ns, kNow + 366 * kDay);
  clock_.now_ns = kNow + 366 * kDay - 1;
  EXPECT_TRUE(held());
  clock_.now_ns = kNow + 366 * kDay;
  EXPECT_FALSE(held());
}

// A later object of a writer cannot shorten what an earlier one has held.
TEST_F(HoldsTest, OfAWriterCountEachByItself) {
  put(ObjectKind::kHold, 0, {.until_ns = kNow + 10 * kDay});
  put(ObjectKind::kHold, 1, {.until_ns = kNow});
  put(ObjectKind::kHold, 2, {.until_ns = kNow + kDay});
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->until_ns, kNow + 10 * kDay);
  EXPECT_EQ(held()->reason, "0");
}

TEST_F(HoldsTest, OfAWriterEndNoHoldOfAPruner) {
  put(ObjectKind::kKept, 0, {});
  put(ObjectKind::kHold, 99'999'999, {.until_ns = kNow});
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->until_ns, 0);
}

TEST_F(HoldsTest, OfAWriterAreEndedByAPrunerThatNamesThem) {
  put(ObjectKind::kHold, 3, {});
  put(ObjectKind::kHold, 4, {});
  put(ObjectKind::kKept, 0, {.until_ns = kNow}, {3});
  ASSERT_TRUE(held()) << "the other one counts";
  put(ObjectKind::kKept, 1, {.until_ns = kNow}, {3, 4});
  EXPECT_FALSE(held());
}

TEST_F(HoldsTest, ThatCannotBeReadHoldForEver) {
  objects_->insert(kept_name(tag_, Uuid{}, 7), Bytes(100), kNow);
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->until_ns, 0);
  EXPECT_TRUE(held()->unreadable.has_value());
}

TEST_F(HoldsTest, StoreTimeIsThatOfTheStore) {
  clock_.now_ns = kNow + 5;
  const auto now = store_time(repository_->store());
  ASSERT_TRUE(now.ok()) << now.error().message;
  EXPECT_EQ(*now, kNow + 5);
  EXPECT_TRUE(objects_->list("doctor/").empty());
  const auto timeless = store_time(*make_memory_store(objects_));
  ASSERT_FALSE(timeless.ok());
  EXPECT_EQ(timeless.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace drs
