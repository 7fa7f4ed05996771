#include "engine/pipeline/memory_plan.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

constexpr StoreNeeds kFar{32, 640 * kKiB, false};
constexpr StoreNeeds kSpooled{32, 640 * kKiB, true};
const CompressionChoice kHeaviest = *parse_compression("zstd:19");

TEST(MemoryPlan, NeverTakesMoreThanTheCeiling) {
  for (const StoreNeeds& store : {StoreNeeds{}, kFar, kSpooled}) {
    for (std::size_t mib = 96; mib <= 4096; mib += mib / 3) {
      for (const std::size_t threads : {1U, 2U, 16U, 64U}) {
        const auto push = plan_push({.memory_bytes = mib * kMiB, .threads = threads}, {}, store);
        ASSERT_TRUE(push.ok()) << mib;
        const std::size_t in_store = store.operation_bytes * (push->pack_buffers + 2);
        EXPECT_LE(push->arena_bytes + push->index_table_bytes + push->index_cache_bytes + push->spool_bytes + in_store,
                  mib * kMiB);
        EXPECT_GE(push->workers, 1U);
        const auto pull = plan_pull({.memory_bytes = mib * kMiB, .threads = threads}, store);
        ASSERT_TRUE(pull.ok()) << mib;
        EXPECT_LE(pull->arena_bytes + pull->index_cache_bytes +
                      store.operation_bytes * std::min(pull->sealed_buffers, store.parallel_max),
                  mib * kMiB);
      }
    }
  }
}

TEST(MemoryPlan, KeepsSeveralPacksOnALongWay) {
  const auto near = plan_push({.memory_bytes = kMemoryBytesDefault, .threads = 2}, {}, {});
  const auto far = plan_push({.memory_bytes = kMemoryBytesDefault, .threads = 2}, {}, kFar);
  ASSERT_TRUE(near.ok() && far.ok());
  EXPECT_EQ(near->pack_buffers, 3U);
  EXPECT_GE(far->pack_buffers, 8U);
  EXPECT_GE(far->pack_bytes_target, 4 * kMiB);
}

TEST(MemoryPlan, ASpoolHasRoomForSeveralUploads) {
  const auto plan = plan_push({.memory_bytes = kMemoryBytesDefault, .threads = 2}, {}, kSpooled);
  ASSERT_TRUE(plan.ok());
  EXPECT_GE(plan->spool_bytes, 4 * plan->pack_slot_bytes);
}

TEST(MemoryPlan, TheFloorIsEnoughForWhatItIsEnoughForNearby) {
  const auto near = plan_push({.memory_bytes = kMemoryBytesMin, .threads = 1}, kHeaviest, {});
  EXPECT_EQ(plan_push({.memory_bytes = kMemoryBytesMin, .threads = 1}, kHeaviest, kFar).ok(), near.ok());
  EXPECT_EQ(plan_push({.memory_bytes = kMemoryBytesMin, .threads = 1}, kHeaviest, kSpooled).ok(), near.ok());
  EXPECT_FALSE(plan_push({.memory_bytes = kMemoryBytesMin - 1, .threads = 1}, {}, kFar).ok());
  EXPECT_FALSE(plan_pull({.memory_bytes = kMemoryBytesMin - 1, .threads = 1}, kFar).ok());
}

}  // namespace
}  // namespace drs
