#include "engine/repository/put_hold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "engine/format/marks.h"
#include "engine/repository/retention_objects.h"
#include "tests/engine/repository/holds_fixture.h"

namespace drs {
namespace {

using test::kDay;
using test::kNow;
using ::testing::HasSubstr;

class PutHoldTest : public test::HoldsFixture {
 protected:
  struct Wanted {
    WallNs until_ns = 0;
    HoldRequest::TooLong too_long = HoldRequest::TooLong::kRefuse;
  };
  HoldRequest request() { return request(Wanted()); }
  HoldRequest request(const Wanted& wanted) {
    return {.manifest_name = manifest_,
            .manifest_digest = {},
            .until_ns = wanted.until_ns,
            .reason = "why",
            .too_long = wanted.too_long};
  }
  Result<HoldReport> hold() { return hold(Wanted()); }
  Result<HoldReport> hold(const Wanted& wanted) { return put_hold(*repository_, request(wanted)); }
  static std::string code_of(const Result<HoldReport>& result) {
    return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
  }
  // As the policy of a writer does.
  void deny_kept() {
    *hook_ = [](std::string_view operation, std::string_view key) -> std::optional<Error> {
      if (operation != "put" || !key.starts_with("kept/")) return std::nullopt;
      return Error(ErrorCode::kDenied, "403 AccessDenied");
    };
  }
  // Calls `act` once, just before the object of the hold is put.
  void before_the_put(std::function<void()> act) {
    *hook_ = [act = std::move(act), done = false](std::string_view operation,
                                                  std::string_view key) mutable -> std::optional<Error> {
      const bool is_hold = key.starts_with("kept/") || key.starts_with("holds/");
      if (operation == "put" && is_hold && !std::exchange(done, true)) act();
      return std::nullopt;
    };
  }
  void mark_removed() {
    const std::string mark = removed_name(manifest_);
    const RemovedMark removed{manifest_, Digest{}, "s", 1, kNow, "a test"};
    objects_->insert(mark, encode_document(repository_->keys(), ObjectKind::kRemoved, mark, encode_removed(removed)),
                     kNow);
  }
  Hold stored(const std::string& name) {
    const auto object = objects_->find(name);
    EXPECT_TRUE(object) << name;
    auto read = open_hold(repository_->keys(), name, object ? ByteView(*object->bytes) : ByteView());
    EXPECT_TRUE(read.ok());
    return read.ok() ? *std::move(read) : Hold{};
  }
  std::string kept(std::uint32_t number) { return kept_name(tag_, Uuid{}, number); }
  std::string of_writer(std::uint32_t number) { return hold_name(tag_, Uuid{}, number); }
};

TEST_F(PutHoldTest, HoldsForEverOrUntilATime) {
  const auto day = hold({.until_ns = kNow + kDay});
  ASSERT_TRUE(day.ok()) << day.error().message;
  EXPECT_EQ(day->object_name, kept(0));
  EXPECT_FALSE(day->by_writer);
  EXPECT_EQ(day->held->until_ns, kNow + kDay);
  EXPECT_EQ(stored(kept(0)).held_ns, kNow);
  const auto for_ever = hold();
  ASSERT_TRUE(for_ever.ok()) << for_ever.error().message;
  EXPECT_EQ(for_ever->object_name, kept(1)) << "objects never change: the next number replaces the hold";
  ASSERT_TRUE(for_ever->held);
  EXPECT_EQ(for_ever->held->until_ns, 0);
  EXPECT_EQ(for_ever->held->reason, "why");
}

TEST_F(PutHoldTest, AHoldIsNeverShortenedByAnother) {
  ASSERT_TRUE(hold().ok());
  const auto shorter = hold({.until_ns = kNow + kDay});
  ASSERT_EQ(code_of(shorter), "usage");
  EXPECT_THAT(shorter.error().message, HasSubstr("--release"));
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->until_ns, 0);
}

TEST_F(PutHoldTest, TheSameHoldIsStoredOnce) {
  ASSERT_TRUE(hold().ok());
  const auto again = hold();
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(again->object_name.empty());
  ASSERT_TRUE(again->held);
  EXPECT_EQ(objects_->list("kept/").size(), 1U);
}

TEST_F(PutHoldTest, ARemovedSnapshotIsNotHeld) {
  mark_removed();
  const auto refused = hold();
  ASSERT_EQ(code_of(refused), "no-snapshot");
  EXPECT_THAT(refused.error().message, HasSubstr("unforget"));
  EXPECT_TRUE(objects_->list("kept/").empty()) << "an object would keep its data for ever";
}

// Rule 4 of decision 0006: a forget has listed no hold.
TEST_F(PutHoldTest, ASnapshotThatIsRemovedMeanwhileIsNoSuccess) {
  before_the_put([&] { mark_removed(); });
  const auto lost = hold();
  ASSERT_EQ(code_of(lost), "conflict");
  EXPECT_THAT(lost.error().message, HasSubstr(kept(0) + " keeps its data"));
  EXPECT_TRUE(held()) << "its data stays, so it can be brought back";
}

TEST_F(PutHoldTest, ASnapshotThatIsRetiredMeanwhileIsNoSuccess) {
  const Retired retired{.tag = tag_, .stream = "s", .entries = {{Uuid{}, Digest{{1}}, 1, kNow}}};
  const std::string name = retired_name(tag_, Uuid{{5}});
  before_the_put([&] {
    objects_->insert(name, encode_document(repository_->keys(), ObjectKind::kRetired, name, encode_retired(retired)),
                     kNow);
  });
  EXPECT_EQ(code_of(hold()), "conflict");
}

TEST_F(PutHoldTest, AManifestThatIsGoneMeanwhileIsNoSuccess) {
  before_the_put([&] { objects_->erase(manifest_); });
  EXPECT_EQ(code_of(hold()), "conflict");
}

TEST_F(PutHoldTest, WhatCannotBeLookedUpAfterwardsIsNoSuccess) {
  *hook_ = [&, puts = 0](std::string_view operation, std::string_view key) mutable -> std::optional<Error> {
    if (operation == "put") ++puts;
    if (puts == 0 || operation != "stat" || key != removed_name(manifest_)) return std::nullopt;
    return Error(ErrorCode::kUnavailable, "no answer");
  };
  const auto unknown = hold();
  ASSERT_EQ(code_of(unknown), "unavailable");
  EXPECT_THAT(unknown.error().message, HasSubstr("the hold is stored as " + kept(0)));
}

TEST_F(PutHoldTest, ANumberThatIsTakenMeanwhileIsLeftAlone) {
  before_the_put([&] { objects_->insert(kept(0), Bytes(50, 9), kNow); });
  const auto report = hold();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->object_name, kept(1));
  EXPECT_EQ(*objects_->find(kept(0))->bytes, Bytes(50, 9));
}

TEST_F(PutHoldTest, AHoldWithoutAnAnswerIsSettled) {
  *hook_ = [lost = false](std::string_view operation, std::string_view key) mutable -> std::optional<Error> {
    if (operation != "put" || !key.starts_with("kept/") || std::exchange(lost, true)) return std::nullopt;
    return Error(ErrorCode::kUnavailable, "no answer");
  };
  const auto report = hold();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->object_name, kept(0));
}

TEST_F(PutHoldTest, CredentialsOfAWriterHoldForAYearAtMost) {
  deny_kept();
  const auto for_ever = hold();
  ASSERT_EQ(code_of(for_ever), "usage");
  EXPECT_THAT(for_ever.error().message, HasSubstr("--until"));
  EXPECT_EQ(code_of(hold({.until_ns = kNow + 366 * kDay})), "usage");
  EXPECT_TRUE(objects_->list("holds/").empty());
  for (std::uint32_t number = 0; number < 2; ++number) {
    const WallNs until_ns = kNow + (300 + number) * kDay;
    const auto report = hold({.until_ns = until_ns});
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->object_name, of_writer(number));
    EXPECT_TRUE(report->by_writer);
    EXPECT_EQ(report->held->until_ns, until_ns);
  }
  const auto shortened = hold({.until_ns = 0, .too_long = HoldRequest::TooLong::kShorten});
  ASSERT_TRUE(shortened.ok()) << shortened.error().message;
  EXPECT_EQ(shortened->held->until_ns, kNow + 365 * kDay);
}

// The system refuses in a directory, whatever the prefix: the role is not the reason.
TEST_F(PutHoldTest, ADirectoryThatRefusesIsNoRole) {
  *hook_ = [](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "put" || !key.starts_with("kept/")) return std::nullopt;
    return error_from_errno(EROFS, "write");
  };
  EXPECT_EQ(code_of(hold()), "denied");
  EXPECT_EQ(code_of(hold({.until_ns = kNow + kDay})), "denied");
}

TEST_F(PutHoldTest, APlantedNumberDoesNotStopHoldsOfWriters) {
  deny_kept();
  ASSERT_TRUE(objects_->insert(of_writer(kNumberInNameMax), Bytes(10), kNow - 400 * kDay));
  ASSERT_TRUE(objects_->insert(of_writer(0), Bytes(10), kNow - 400 * kDay));
  const auto report = hold({.until_ns = kNow + kDay});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->object_name, of_writer(1));
  *hook_ = nullptr;
  ASSERT_TRUE(objects_->insert(kept(kNumberInNameMax), Bytes(10), kNow));  // unreadable: held for ever
  EXPECT_EQ(code_of(hold()), "conflict");
}

TEST_F(PutHoldTest, ATimeThatHasPassedIsRefused) {
  EXPECT_EQ(code_of(hold({.until_ns = kNow})), "usage");
  EXPECT_TRUE(objects_->list("kept/").empty());
  // By the store's clock alone.
  local_clock_.now_ns = kNow - 10 * kDay;
  const auto passed = hold({.until_ns = kNow - kDay});
  ASSERT_EQ(code_of(passed), "usage");
  EXPECT_THAT(passed.error().message, HasSubstr("store's clock"));
}

TEST_F(PutHoldTest, AReleaseEndsAllHolds) {
  put(ObjectKind::kHold, 3, {});
  put(ObjectKind::kHold, 8, {.stored_ns = kNow - 400 * kDay});
  ASSERT_TRUE(hold().ok());
  objects_->insert(of_writer(5), Bytes(10), kNow);  // cannot be read, and holds
  ASSERT_TRUE(held());
  const auto released = release_hold(*repository_, request());
  ASSERT_TRUE(released.ok()) << released.error().message;
  EXPECT_EQ(released->object_name, kept(1));
  EXPECT_FALSE(released->held);
  EXPECT_FALSE(held());
  EXPECT_EQ(stored(kept(1)).overrides, (std::vector<std::uint32_t>{3, 5, 8}));
}

TEST_F(PutHoldTest, AReleaseOfWhatIsNotHeldStoresNothing) {
  const auto released = release_hold(*repository_, request());
  ASSERT_TRUE(released.ok()) << released.error().message;
  EXPECT_TRUE(released->object_name.empty());
  EXPECT_TRUE(objects_->list("kept/").empty());
}

TEST_F(PutHoldTest, WhatAReleaseHasEndedStaysEnded) {
  put(ObjectKind::kHold, 0, {});
  ASSERT_TRUE(release_hold(*repository_, request()).ok());
  ASSERT_TRUE(hold({.until_ns = kNow + kDay}).ok());
  ASSERT_TRUE(held());
  EXPECT_EQ(held()->until_ns, kNow + kDay);
  clock_.now_ns = kNow + kDay;
  EXPECT_FALSE(held()) << "the released hold of the writer counts again";
}

TEST_F(PutHoldTest, OnlyCredentialsOfAPrunerEndAHold) {
  ASSERT_TRUE(hold().ok());
  deny_kept();
  const auto refused = release_hold(*repository_, request());
  ASSERT_EQ(code_of(refused), "denied");
  EXPECT_THAT(refused.error().message, HasSubstr("pruner"));
  EXPECT_TRUE(held());
}

TEST_F(PutHoldTest, AReleaseNamesAtMostAsManyHoldsAsItCan) {
  for (std::uint32_t number = 0; number <= kHoldOverridesMax; ++number)
    objects_->insert(of_writer(number), Bytes(10), number < 5 ? kNow - 400 * kDay : kNow);
  ASSERT_TRUE(held());
  const auto released = release_hold(*repository_, request());
  ASSERT_TRUE(released.ok()) << released.error().message;
  EXPECT_FALSE(held());
  for (std::uint32_t number = 2000; number < 2010; ++number) objects_->insert(of_writer(number), Bytes(10), kNow);
  EXPECT_EQ(code_of(release_hold(*repository_, request())), "conflict");
}

TEST_F(PutHoldTest, AReasonHasABound) {
  HoldRequest long_reason = request();
  long_reason.reason = std::string(kHoldReasonBytesMax + 1, 'x');
  EXPECT_EQ(code_of(put_hold(*repository_, long_reason)), "usage");
  EXPECT_EQ(code_of(release_hold(*repository_, long_reason)), "usage");
}

}  // namespace
}  // namespace drs
