// Copies beside a repair of the index: what it replaces is no damage, whenever that happens, in the source or there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "engine/pipeline/repair_index.h"
#include "tests/engine/pipeline/copy_runs.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/stored_repository.h"

namespace drs::test {
namespace {

using testing::IsEmpty;
using Outcome = SnapshotCopy::Outcome;

class CopyBesideTest : public testing::Test {
 protected:
  // In a process of its own.
  static void repair(const Result<std::unique_ptr<Repository>>& repository) {
    ASSERT_TRUE(repository.ok()) << repository.error().message;
    ProgressCounters progress;
    CancelToken none;
    const auto report = repair_index(**repository, {.all = true}, progress, none);
    ASSERT_TRUE(report.ok()) << report.error().message;
  }
  // Copies all into `target_`, and repairs before the nth read of an index object, or list of them. False: there were
  // fewer.
  bool copy_beside(bool in_target, int nth) {
    const auto source = stored_.open();
    const auto target = target_.open();
    EXPECT_TRUE(source.ok() && target.ok());
    std::mutex mutex;
    int calls = 0;
    const auto hook = std::make_shared<StoreHook>();
    *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      const std::lock_guard lock(mutex);
      if ((operation == "get" || operation == "list") && key.starts_with("index/") && ++calls == nth)
        repair(in_target ? target_.open() : stored_.open());
      return std::nullopt;
    };
    Repository& hooked = in_target ? **target : **source;
    hooked.replace_store(std::make_unique<HookStore>(in_target ? target_.store() : stored_.store(), hook));
    auto report = copy_all(**source, **target);
    EXPECT_TRUE(report.ok()) << nth << ": " << report.error().message;
    if (report.ok()) report_ = *std::move(report);
    return calls >= nth;
  }
  void expect_all_copied(int nth) {
    EXPECT_EQ(report_.count(Outcome::kCopied), 3U) << nth;
    for (const SnapshotCopy& copy : report_.snapshots) EXPECT_EQ(copy.problem, "") << nth;
    EXPECT_THAT(report_.warnings, IsEmpty()) << nth;
    EXPECT_THAT(findings_of(target_), IsEmpty()) << nth;
  }

  StoredRepository stored_;
  Target target_;
  CopyReport report_;
};

TEST_F(CopyBesideTest, ARepairOfEitherSideIsNoDamageToAReplicaWheneverItReplacesTheIndex) {
  for (const bool in_target : {false, true}) {
    int nth = 1;
    for (;; ++nth) {
      stored_.reset();
      target_ = Target();
      target_.init_replica(**stored_.open());
      if (!copy_beside(in_target, nth)) break;
      expect_all_copied(nth);
    }
    EXPECT_GT(nth, in_target ? 1 : 4);
  }
}

TEST_F(CopyBesideTest, ARepairOfEitherSideIsNoDamageToAStreamThatIsStoredAnew) {
  for (const bool in_target : {false, true}) {
    int nth = 1;
    for (;; ++nth) {
      stored_.reset();
      target_ = Target();
      target_.init();
      if (!copy_beside(in_target, nth)) break;
      expect_all_copied(nth);
    }
    EXPECT_GT(nth, 4);
  }
}

TEST_F(CopyBesideTest, WhatIsMissingInTheSourceIsDamageAllTheSame) {
  target_.init_replica(**stored_.open());
  stored_.objects->erase(stored_.pack_first);
  EXPECT_FALSE(copy_beside(false, 1000));
  EXPECT_EQ(report_.count(Outcome::kDamaged), 2U);
}

}  // namespace
}  // namespace drs::test
