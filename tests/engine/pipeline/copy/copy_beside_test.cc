// Copies during a repair of the index, in the source or in the target: index objects that it replaces never count as
// damage. And copies that run at the same time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/format/names.h"
#include "engine/repository/repair_index.h"
#include "tests/engine/pipeline/copy/copy_runs.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/stored_repository.h"

namespace drs::test {
namespace {

using testing::IsEmpty;
using Outcome = SnapshotCopy::Outcome;

class CopyBesideTest : public testing::Test {
 protected:
  // Repairs the index as another process would.
  static void repair(const Result<std::unique_ptr<Repository>>& repository) {
    ASSERT_TRUE(repository.ok()) << repository.error().message;
    ProgressCounters progress;
    CancelToken none;
    const auto report = repair_index(**repository, {.all = true}, progress, none);
    ASSERT_TRUE(report.ok()) << report.error().message;
  }
  // Copies all snapshots into `target_`, and repairs before the nth read or list of index objects. Returns false if
  // there were fewer.
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

// For each snapshot, both copies list its sessions before either has put its own.
TEST_F(CopyBesideTest, TwoCopiesOfTheSameSnapshotsIntoAReplicaBothEndWell) {
  target_.init_replica(**stored_.open());
  const std::set<std::string> manifests{stored_.manifest_1, stored_.manifest_2, stored_.manifest_3};
  std::mutex mutex;
  std::condition_variable met;
  int waiting = 0;
  int meetings = 0;
  const auto hook = std::make_shared<StoreHook>();
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "put" || !key.starts_with("sessions/")) return std::nullopt;
    const auto session = parse_name(key);
    if (!session || !manifests.contains(manifest_name(session->tag, session->uuid))) return std::nullopt;
    std::unique_lock lock(mutex);
    const int before = meetings;
    if (++waiting == 2) {
      waiting = 0;
      ++meetings;
      met.notify_all();
    } else if (!met.wait_for(lock, std::chrono::seconds(10), [&] { return meetings > before; })) {
      waiting = 0;  // the other one has failed
    }
    return std::nullopt;
  };
  std::array<std::optional<Result<CopyReport>>, 2> reports;
  {
    std::array<std::jthread, 2> copies;
    for (std::size_t copy = 0; copy < 2; ++copy)
      copies[copy] = std::jthread([&, copy] {
        const auto source = stored_.open();
        const auto target = target_.open();
        if (!source.ok() || !target.ok()) return;
        (*target)->replace_store(std::make_unique<HookStore>(target_.store(), hook));
        reports[copy] = copy_all(**source, **target);
      });
  }
  EXPECT_EQ(meetings, 3);
  for (const auto& report : reports) {
    ASSERT_TRUE(report);
    ASSERT_TRUE(report->ok()) << report->error().message;
    EXPECT_EQ((*report)->count(Outcome::kCopied), 3U);
    EXPECT_THAT((*report)->warnings, IsEmpty());
  }
  EXPECT_THAT(findings_of(target_), IsEmpty());
  EXPECT_THAT(target_.names("sessions/"), IsEmpty());
}

}  // namespace
}  // namespace drs::test
