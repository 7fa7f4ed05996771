#include "tools/repository/resource_defaults.h"

#include <gtest/gtest.h>

#include "engine/pipeline/memory_plan.h"
#include "io/base/bytes.h"

namespace drs {
namespace {

CgroupLimits limit(std::uint64_t bytes) {
  return {MemoryLimit{bytes, "/sys/fs/cgroup/memory.max"}, {}};
}

TEST(ResourceDefaults, MemoryIs256MiBWhereNothingLimitsIt) {
  EXPECT_EQ(*default_memory_bytes({}), 256 * kMiB);
  EXPECT_EQ(*default_memory_bytes(limit(64 * kGiB)), 256 * kMiB);
}

TEST(ResourceDefaults, MemoryIsWhatALimitLeaves) {
  EXPECT_EQ(*default_memory_bytes(limit(512 * kMiB)), 256 * kMiB);
  EXPECT_EQ(*default_memory_bytes(limit(300 * kMiB)), 230 * kMiB);
  EXPECT_EQ(*default_memory_bytes(limit(256 * kMiB)), 192 * kMiB);
}

TEST(ResourceDefaults, TheDefaultAndTheProgramFitIntoEveryLimit) {
  for (std::uint64_t mib = 147; mib < 1024; ++mib) {
    const auto bytes = default_memory_bytes(limit(mib * kMiB));
    ASSERT_TRUE(bytes.ok()) << mib;
    EXPECT_GE(*bytes, kMemoryBytesMin);
    EXPECT_LE(*bytes + 32 * kMiB, mib * kMiB);
  }
}

TEST(ResourceDefaults, ALimitThatIsTooSmallIsRefusedWithTheFigures) {
  for (const std::uint64_t bytes : {std::uint64_t{0}, 16 * kMiB, 128 * kMiB, 146 * kMiB}) {
    const auto refused = default_memory_bytes(limit(bytes));
    ASSERT_FALSE(refused.ok()) << bytes;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  }
  const std::string text = default_memory_bytes(limit(128 * kMiB)).error().message;
  EXPECT_NE(text.find("128 MiB (/sys/fs/cgroup/memory.max)"), std::string::npos) << text;
  EXPECT_NE(text.find("leaves 80 MiB"), std::string::npos) << text;
  EXPECT_NE(text.find("at least 147 MiB"), std::string::npos) << text;
}

TEST(ResourceDefaults, APassphraseNeedsRoomForScrypt) {
  EXPECT_TRUE(check_room_for_passphrase({}).ok());
  EXPECT_TRUE(check_room_for_passphrase(limit(160 * kMiB)).ok());
  const auto refused = check_room_for_passphrase(limit(160 * kMiB - 1));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_NE(refused.error().message.find("at least 160 MiB"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace drs
