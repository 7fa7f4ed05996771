#include "io/buffer_pool.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "io/base/error_class.h"

namespace drs {
namespace {

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * 4096;
}

TEST(BufferArena, IsAlignedAndRoundedToHugePages) {
  auto arena = BufferArena::map(3 * kMiB + 1);
  ASSERT_TRUE(arena.ok());
  EXPECT_EQ(arena->whole().size(), 4 * kMiB);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(arena->whole().data()) % (2 * kMiB), 0U);
}

TEST(BufferArena, IsNotResidentUntilUsed) {
  const std::size_t before = resident_bytes();
  auto arena = BufferArena::map(256 * kMiB);
  ASSERT_TRUE(arena.ok());
  EXPECT_LT(resident_bytes(), before + 64 * kMiB);
  arena->whole()[0] = 1;
}

TEST(BufferArena, SaysThatMemoryIsShortWhenTheMachineHasNotThatMuch) {
  const auto arena = BufferArena::map(std::size_t{1} << 50);
  ASSERT_FALSE(arena.ok());
  EXPECT_EQ(arena.error().code, ErrorCode::kBusy);
  EXPECT_TRUE(is_shortage(arena.error()));
}

TEST(BufferArena, CarvesPartsThatDoNotOverlap) {
  auto arena = BufferArena::map(2 * kMiB);
  ASSERT_TRUE(arena.ok());
  const MutableByteView first = arena->carve(5000);
  const MutableByteView second = arena->carve(4096);
  EXPECT_EQ(first.size(), 5000U);
  EXPECT_EQ(second.data(), first.data() + 8192);
}

TEST(BufferArenaDeathTest, StopsWhenThePartsExceedTheWhole) {
  auto arena = BufferArena::map(2 * kMiB);
  ASSERT_TRUE(arena.ok());
  EXPECT_DEATH(arena->carve(2 * kMiB + 1), "smaller than the sum");
}

class BufferPoolTest : public testing::Test {
 protected:
  static constexpr std::size_t kSlotBytes = 8192;
  BufferArena arena_ = *BufferArena::map(2 * kMiB);
};

TEST_F(BufferPoolTest, LendsEachSlotOnceAndThenNone) {
  BufferPool pool(arena_.carve(4 * kSlotBytes), kSlotBytes, 4);
  std::vector<PooledBuffer> lent;
  std::set<Byte*> starts;
  for (int i = 0; i < 4; ++i) {
    lent.push_back(pool.try_acquire());
    ASSERT_TRUE(lent.back());
    EXPECT_EQ(lent.back().bytes().size(), kSlotBytes);
    starts.insert(lent.back().bytes().data());
  }
  EXPECT_EQ(starts.size(), 4U);
  EXPECT_FALSE(pool.try_acquire());
  EXPECT_EQ(pool.free_count(), 0U);
  lent.clear();
  EXPECT_EQ(pool.free_count(), 4U);
  EXPECT_EQ(pool.free_count_min(), 0U);
}

TEST_F(BufferPoolTest, MovedBufferHasOneOwner) {
  BufferPool pool(arena_.carve(2 * kSlotBytes), kSlotBytes, 2);
  PooledBuffer first = pool.try_acquire();
  PooledBuffer second = std::move(first);
  EXPECT_TRUE(second);
  EXPECT_EQ(pool.free_count(), 1U);
  second = pool.try_acquire();
  EXPECT_EQ(pool.free_count(), 1U);
  second.release();
  EXPECT_FALSE(second);
  EXPECT_EQ(pool.free_count(), 2U);
}

TEST_F(BufferPoolTest, WaitersShareFewSlotsWithoutLosingOne) {
  BufferPool pool(arena_.carve(2 * kSlotBytes), kSlotBytes, 2);
  std::atomic<int> acquired = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        PooledBuffer buffer = pool.acquire();
        buffer.bytes()[0] = static_cast<Byte>(buffer.bytes()[0] + 1);
        ++acquired;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(acquired, 2000);
  EXPECT_EQ(pool.free_count(), 2U);
}

TEST_F(BufferPoolTest, CloseWakesWaitersWithNothing) {
  BufferPool pool(arena_.carve(kSlotBytes), kSlotBytes, 1);
  PooledBuffer only = pool.acquire();
  std::thread waiter([&] { EXPECT_FALSE(pool.acquire()); });
  pool.close();
  waiter.join();
  only.release();
  EXPECT_FALSE(pool.try_acquire());
}

TEST_F(BufferPoolTest, BufferComesHomeFromAnotherThread) {
  BufferPool pool(arena_.carve(kSlotBytes), kSlotBytes, 1);
  PooledBuffer lent = pool.acquire();
  std::thread other([taken = std::move(lent)]() mutable { taken.release(); });
  EXPECT_TRUE(pool.acquire());
  other.join();
}

TEST_F(BufferPoolTest, StopsWhenDestroyedBeforeItsBuffersCameHome) {
  EXPECT_DEATH(
      {
        PooledBuffer survivor;
        BufferPool pool(arena_.carve(kSlotBytes), kSlotBytes, 1);
        survivor = pool.acquire();
      },
      "before all of its buffers were returned");
}

}  // namespace
}  // namespace drs
