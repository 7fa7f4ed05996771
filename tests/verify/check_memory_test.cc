#include "verify/check_memory.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(CheckMemory, AShortListCostsTheBuffersNothing) {
  EXPECT_EQ(*memory_beside_list({.memory_bytes = 96 * kMiB, .listed_objects = 0}), 96 * kMiB);
  EXPECT_EQ(*memory_beside_list({.memory_bytes = 96 * kMiB, .listed_objects = 80'000}), 96 * kMiB);
}

TEST(CheckMemory, ALongListIsTakenFromTheBuffers) {
  const auto left = memory_beside_list({.memory_bytes = 96 * kMiB, .listed_objects = 200'000});
  ASSERT_TRUE(left.ok());
  EXPECT_EQ(*left, 96 * kMiB - (200'000 * 200 - 16 * kMiB));
}

TEST(CheckMemory, AListOfMoreThanHalfIsRefusedWithTheMemoryThatItNeeds) {
  const auto refused = memory_beside_list({.memory_bytes = 256 * kMiB, .listed_objects = 3'300'000});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_NE(refused.error().message.find("3300000 objects"), std::string::npos);
  EXPECT_NE(refused.error().message.find("--memory must be 1259 MiB or more"), std::string::npos)
      << refused.error().message;
  EXPECT_TRUE(memory_beside_list({.memory_bytes = 1259 * kMiB, .listed_objects = 3'300'000}).ok());
}

}  // namespace
}  // namespace drs
