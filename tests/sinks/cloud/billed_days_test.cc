#include "sinks/cloud/billed_days.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(BilledDays, AreThoseOfTheStorageClassesThatHaveALeastTime) {
  EXPECT_EQ(billed_days_of("STANDARD_IA"), 30);
  EXPECT_EQ(billed_days_of("GLACIER_IR"), 90);
  EXPECT_EQ(billed_days_of("NEARLINE"), 30);
  EXPECT_EQ(billed_days_of("ARCHIVE"), 365);
  for (const char* const other : {"", "STANDARD", "INTELLIGENT_TIERING", "standard_ia", "A_CLASS_OF_ANOTHER_SERVER"})
    EXPECT_EQ(billed_days_of(other), 0) << other;
}

}  // namespace
}  // namespace drs
