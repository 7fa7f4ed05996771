// Copies of held snapshots.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/repository/put_hold.h"
#include "tests/engine/pipeline/copy/copy_runs.h"
#include "tests/sinks/hook_store.h"

namespace drs::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr WallNs kDayNs = 86'400LL * 1'000'000'000LL;

class CarriedHoldsTest : public ReplicaFixture {
 protected:
  void SetUp() override {
    ReplicaFixture::SetUp();
    now_ns_ = SystemClock().wall_ns();
    for (const char* const prefix : {"kept/", "holds/"})  // those of the stored repository
      for (const ObjectInfo& info : stored_.objects->list(prefix)) stored_.objects->erase(info.key);
  }
  void hold(Repository& repository, const std::string& manifest, WallNs until_ns) {
    const auto put = put_hold(
        repository, {.manifest_name = manifest, .manifest_digest = {}, .until_ns = until_ns, .reason = "migration"});
    ASSERT_TRUE(put.ok()) << put.error().message;
  }
  CopyReport copy(const std::shared_ptr<StoreHook>& hook = std::make_shared<StoreHook>()) {
    const auto target = target_.open();
    EXPECT_TRUE(target.ok());
    (*target)->replace_store(std::make_unique<HookStore>(target_.store(), hook));
    auto report = copy_all(*source_, **target);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *std::move(report) : CopyReport{};
  }
  Holds holds_there() {
    const auto target = target_.open();
    EXPECT_TRUE(target.ok());
    const auto holds = load_holds(**target, now_ns_);
    EXPECT_TRUE(holds.ok());
    return *holds;
  }
  static std::shared_ptr<StoreHook> of_a_writer() {
    return std::make_shared<StoreHook>([](std::string_view operation, std::string_view key) -> std::optional<Error> {
      if (operation != "put" || !key.starts_with("kept/")) return std::nullopt;
      return Error(ErrorCode::kDenied, "403 AccessDenied");
    });
  }

  WallNs now_ns_ = 0;
};

TEST_F(CarriedHoldsTest, AHeldSnapshotIsHeldInTheTarget) {
  hold(*source_, stored_.manifest_1, 0);
  hold(*source_, stored_.manifest_2, now_ns_ + 1000 * kDayNs);
  EXPECT_EQ(copy().holds, 2U);
  const Holds holds = holds_there();
  ASSERT_EQ(holds.size(), 2U);
  EXPECT_EQ(holds.at(stored_.manifest_1).until_ns, 0);
  EXPECT_EQ(holds.at(stored_.manifest_1).reason, "migration");
  EXPECT_EQ(holds.at(stored_.manifest_2).until_ns, now_ns_ + 1000 * kDayNs);
  EXPECT_THAT(findings_of(target_), IsEmpty());
  // A later copy has nothing to add.
  const CopyReport again = copy();
  EXPECT_EQ(again.holds, 0U);
  EXPECT_THAT(again.warnings, IsEmpty());
}

TEST_F(CarriedHoldsTest, AHoldThatCameAfterTheCopyIsCarriedByTheNext) {
  EXPECT_EQ(copy().holds, 0U);
  hold(*source_, stored_.manifest_3, 0);
  EXPECT_EQ(copy().holds, 1U);
  EXPECT_TRUE(holds_there().contains(stored_.manifest_3));
}

TEST_F(CarriedHoldsTest, AHoldOfTheTargetIsNeverShortenedNorEnded) {
  ASSERT_EQ(copy().holds, 0U);
  const auto target = target_.open();
  ASSERT_TRUE(target.ok());
  hold(**target, stored_.manifest_1, 0);
  hold(*source_, stored_.manifest_1, now_ns_ + kDayNs);
  EXPECT_EQ(copy().holds, 0U);
  EXPECT_EQ(holds_there().at(stored_.manifest_1).until_ns, 0);
  // A release is one of the source's alone.
  ASSERT_TRUE(release_hold(*source_, {.manifest_name = stored_.manifest_1, .manifest_digest = {}, .reason = ""}).ok());
  copy();
  EXPECT_TRUE(holds_there().contains(stored_.manifest_1));
}

TEST_F(CarriedHoldsTest, CredentialsOfAWriterHoldForAYearAndRenewIt) {
  hold(*source_, stored_.manifest_1, 0);
  EXPECT_EQ(copy(of_a_writer()).holds, 1U);
  const Holds holds = holds_there();
  ASSERT_EQ(holds.size(), 1U);
  EXPECT_GT(holds.at(stored_.manifest_1).until_ns, now_ns_ + 364 * kDayNs);
  EXPECT_EQ(copy(of_a_writer()).holds, 0U) << "most of the year is left";
  for (const ObjectInfo& info : target_.objects->list("holds/")) {
    const Bytes object = *target_.objects->find(info.key)->bytes;
    target_.objects->erase(info.key);
    ASSERT_TRUE(target_.objects->insert(info.key, object, info.modified_ns - 100 * kDayNs));
  }
  EXPECT_EQ(copy(of_a_writer()).holds, 1U);
  EXPECT_GT(holds_there().at(stored_.manifest_1).until_ns, now_ns_ + 364 * kDayNs);
}

TEST_F(CarriedHoldsTest, AHoldThatTheTargetRefusesIsAWarning) {
  hold(*source_, stored_.manifest_1, 0);
  const auto hook =
      std::make_shared<StoreHook>([](std::string_view operation, std::string_view key) -> std::optional<Error> {
        if (operation != "put" || !(key.starts_with("kept/") || key.starts_with("holds/"))) return std::nullopt;
        return Error(ErrorCode::kDenied, "403 AccessDenied");
      });
  const CopyReport report = copy(hook);
  EXPECT_EQ(report.count(SnapshotCopy::Outcome::kCopied), 3U);
  EXPECT_EQ(report.holds, 0U);
  EXPECT_THAT(report.warnings, testing::ElementsAre(HasSubstr(stored_.manifest_1)));
}

TEST_F(CarriedHoldsTest, ACopyIntoAnyRepositoryCarriesThemAsWell) {
  const Target other;
  other.init();
  hold(*source_, stored_.manifest_1, 0);
  const auto target = other.open();
  ASSERT_TRUE(target.ok());
  const auto report = copy_some(*source_, **target, {0});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->holds, 1U);
  const auto holds = load_holds(**target, now_ns_);
  ASSERT_TRUE(holds.ok());
  EXPECT_TRUE(holds->contains(report->snapshots.front().target_name));
}

}  // namespace
}  // namespace drs::test
