#include "engine/pipeline/push/push_stats.h"

#include <gtest/gtest.h>

#include <thread>

namespace drs {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

// Ten seconds on two cores, in which the stages used `cpu_s` seconds of CPU time.
PushStats ten_seconds(std::uint64_t cpu_s) {
  PushStats stats;
  stats.wall_ns = 10 * kSecondNs;
  stats.cores = 2;
  stats.workers = 3;
  stats.stages[static_cast<std::size_t>(PushStage::kCompress)].cpu_ns = cpu_s * kSecondNs;
  return stats;
}

TEST(Bottleneck, IsTheCpuWhenAllCoresAreBusyWhateverIsWaitedFor) {
  PushStats stats = ten_seconds(19);
  stats.wait_ns[static_cast<std::size_t>(PushWait::kForSource)] = 8 * kSecondNs;
  EXPECT_EQ(bottleneck(stats), Bottleneck::kCpu);
  EXPECT_NE(explain_bottleneck(stats).find("95 % of 2 cores busy"), std::string::npos) << explain_bottleneck(stats);
  EXPECT_NE(explain_bottleneck(stats).find("compress"), std::string::npos);
}

TEST(Bottleneck, IsWhatIsWaitedForMost) {
  PushStats stats = ten_seconds(5);
  stats.wait_ns[static_cast<std::size_t>(PushWait::kForSource)] = 7 * kSecondNs;
  stats.wait_ns[static_cast<std::size_t>(PushWait::kForStore)] = 1 * kSecondNs;
  EXPECT_EQ(bottleneck(stats), Bottleneck::kSource);
  EXPECT_NE(explain_bottleneck(stats).find("70 %"), std::string::npos) << explain_bottleneck(stats);
  stats.wait_ns[static_cast<std::size_t>(PushWait::kForStore)] = 8 * kSecondNs;
  EXPECT_EQ(bottleneck(stats), Bottleneck::kStore);
}

TEST(Bottleneck, IsAThreadThatIsAlwaysBusy) {
  PushStats stats = ten_seconds(1);
  stats.stages[static_cast<std::size_t>(PushStage::kStreamDigest)].cpu_ns = 95 * kSecondNs / 10;
  EXPECT_EQ(bottleneck(stats), Bottleneck::kStreamDigest);
  stats.stages[static_cast<std::size_t>(PushStage::kRead)].cpu_ns = 5 * kSecondNs;
  stats.stages[static_cast<std::size_t>(PushStage::kCut)].cpu_ns = 45 * kSecondNs / 10;
  EXPECT_EQ(bottleneck(stats), Bottleneck::kReader);
}

TEST(Bottleneck, IsToldOfAPushThatDidNothing) {
  EXPECT_EQ(bottleneck(PushStats{}), Bottleneck::kCpu);
  EXPECT_FALSE(explain_bottleneck(PushStats{}).empty());
}

TEST(StretchClock, BooksCpuTimeToTheStageAndSleepToTheWait) {
  PushMeter meter;
  StretchClock clock(meter);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  clock.stage(PushStage::kRead, 7, PushWait::kForSource);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  clock.wait(PushWait::kForStore);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  clock.restart();
  clock.stage(PushStage::kCut, 5);
  const PushStats stats = meter.totals();
  EXPECT_EQ(stats.stage(PushStage::kRead).bytes, 7U);
  EXPECT_EQ(stats.stage(PushStage::kCut).bytes, 5U);
  EXPECT_GE(stats.wait(PushWait::kForSource), 15'000'000U);
  EXPECT_GE(stats.wait(PushWait::kForStore), 10'000'000U);
  EXPECT_EQ(stats.wait(PushWait::kForWork), 0U);
  EXPECT_LT(stats.stage(PushStage::kRead).cpu_ns, 20'000'000U);  // asleep
}

TEST(PushMeter, AddsWhatThreadsAdd) {
  PushMeter meter;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&meter] {
      for (int j = 0; j < 1000; ++j) meter.add(PushStage::kHash, 3, std::chrono::nanoseconds(2));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(meter.totals().stage(PushStage::kHash).bytes, 12'000U);
  EXPECT_EQ(meter.totals().cpu_ns(), 8'000U);
}

}  // namespace
}  // namespace drs
