#include "sinks/settled_put.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "codecs/sha256.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"
#include "sinks/object_io.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

constexpr const char* kKey = "packs/aa/x";

// With and without the digest of the body.
class SettledPut : public testing::TestWithParam<bool> {
 protected:
  std::string put() {
    const auto stored = put_settled(*store_, kKey, body_, GetParam() ? std::optional(sha256(body_)) : std::nullopt);
    return stored.ok() ? "ok" : std::string(error_code_name(stored.error().code));
  }
  [[nodiscard]] bool stands() const {
    const auto found = objects_->find(kKey);
    return found && *found->bytes == body_;
  }
  void take_name(const Bytes& bytes) { ASSERT_TRUE(objects_->insert(kKey, bytes, 0)); }
  // Makes every operation of that name fail with `code`.
  void fail(std::string_view operation, ErrorCode code) {
    *hook_ = [=](std::string_view called, std::string_view) -> std::optional<Error> {
      if (called != operation) return std::nullopt;
      return Error(code, "by a test");
    };
  }

  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  std::shared_ptr<test::StoreHook> hook_ = std::make_shared<test::StoreHook>();
  std::unique_ptr<ObjectStore> store_ =
      std::make_unique<test::HookStore>(make_fault_store(make_memory_store(objects_), plan_), hook_);
  Bytes body_ = Bytes(3 * kMiB / 2, 5);
};

TEST_P(SettledPut, ATakenNameIsOursByItsBytes) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kMiB - 1, kMiB, kMiB + 1, 2 * kMiB}) {
    body_ = Bytes(bytes, 5);
    take_name(body_);
    EXPECT_EQ(put(), "ok") << bytes;
    objects_->erase(kKey);
  }
}

TEST_P(SettledPut, ATakenNameWithOtherBytesOfTheSameLengthIsNotOurs) {
  Bytes other = body_;
  other.back() ^= 1;
  take_name(other);
  EXPECT_EQ(put(), "corrupt");
  EXPECT_EQ(*objects_->find(kKey)->bytes, other);
}

TEST_P(SettledPut, ATakenNameThatHoldsOurBytesAndMoreIsNotOurs) {
  for (const std::size_t bytes : {std::size_t{0}, kMiB, kMiB + 1}) {
    body_ = Bytes(bytes, 5);
    Bytes longer = body_;
    longer.push_back(0);
    take_name(longer);
    EXPECT_EQ(put(), "corrupt") << bytes;
    objects_->erase(kKey);
  }
}

TEST_P(SettledPut, ATakenNameThatHoldsTheBeginningOfOurBytesIsNotOurs) {
  take_name(Bytes(body_.begin(), body_.end() - 1));
  EXPECT_EQ(put(), "corrupt");
}

TEST_P(SettledPut, ALostReplyIsSettledByWhatIsThere) {
  plan_->fail_nth(1, {FaultKind::kLoseReply, ErrorCode::kUnavailable});
  EXPECT_EQ(put(), "ok");
  EXPECT_TRUE(stands());
}

TEST_P(SettledPut, ATornObjectIsDamage) {
  plan_->fail_nth(1, {FaultKind::kTear, ErrorCode::kUnavailable});
  EXPECT_EQ(put(), "corrupt");
}

TEST_P(SettledPut, APutThatNeverArrivedIsMadeAgain) {
  plan_->fail_nth(1, {FaultKind::kFail, ErrorCode::kUnavailable});
  EXPECT_EQ(put(), "ok");
  EXPECT_TRUE(stands());
}

TEST_P(SettledPut, AStoreThatNeverAnswersIsNoSuccess) {
  plan_->fail_randomly(1, {FaultKind::kFail, ErrorCode::kUnavailable});
  EXPECT_EQ(put(), "unavailable");
}

TEST_P(SettledPut, ADefiniteErrorIsNotTriedAgain) {
  plan_->fail_nth(1, {FaultKind::kFail, ErrorCode::kNoSpace});
  EXPECT_EQ(put(), "no-space");
  EXPECT_FALSE(stands());
  EXPECT_EQ(plan_->operations(), 1U);
}

TEST_P(SettledPut, ARefusalAfterAPutWithoutAnAnswerLeavesTheOutcomeOpen) {
  for (const ErrorCode code : {ErrorCode::kNoSpace, ErrorCode::kDenied}) {
    plan_->fail_nth(1, {FaultKind::kFail, ErrorCode::kUnavailable});
    plan_->fail_nth(3, {FaultKind::kFail, code});  // after a read that finds no object
    EXPECT_EQ(put(), "unavailable") << error_code_name(code);
  }
}

TEST_P(SettledPut, ANameThatIsTakenByNothingMayStillBeOurs) {
  fail("put", ErrorCode::kAlreadyExists);
  EXPECT_EQ(put(), "unavailable");
}

// An object counts as another's only if it was read.
TEST_P(SettledPut, ATakenNameThatCannotBeReadIsTheTroubleOfTheRead) {
  take_name(body_);
  for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kBusy, ErrorCode::kDenied, ErrorCode::kUnavailable}) {
    fail("get", code);
    EXPECT_EQ(put(), error_code_name(code));
  }
}

TEST_P(SettledPut, WhatSeemsDamagedIsReadOnceMore) {
  take_name(body_);
  for (const int errno_of_read : {EIO, EILSEQ}) {
    *hook_ = [&, read = false](std::string_view called, std::string_view) mutable -> std::optional<Error> {
      if (called != "get" || std::exchange(read, true)) return std::nullopt;
      return Error(ErrorCode::kIo, "by a test", errno_of_read);
    };
    EXPECT_EQ(put(), "ok");
  }
}

// Without bucket-wide list permission, S3 answers 403 for a missing object.
TEST_P(SettledPut, AMissingObjectMayBeOneThatCannotBeRead) {
  plan_->fail_nth(1, {FaultKind::kFail, ErrorCode::kUnavailable});
  fail("get", ErrorCode::kDenied);
  EXPECT_EQ(put(), "ok");
  EXPECT_TRUE(stands());
}

TEST_P(SettledPut, ASignalEndsItWithoutALook) {
  fail("put", ErrorCode::kCancelled);
  EXPECT_EQ(put(), "cancelled");
  EXPECT_EQ(plan_->operations(), 0U);
}

INSTANTIATE_TEST_SUITE_P(ByDigestAndByBytes, SettledPut, testing::Bool());

TEST(PutOutcome, ReadsBackWhatWasAnsweredWithSuccessWhereItIsAskedTo) {
  const auto objects = std::make_shared<MemoryObjects>();
  const auto plan = std::make_shared<FaultPlan>();
  const auto store = make_fault_store(make_memory_store(objects), plan);
  const Bytes body(100, 5);
  for (const bool always : {false, true}) {
    objects->erase(kKey);
    plan->fail_nth(1, {FaultKind::kTearSilently, ErrorCode::kIo});
    const auto put = settle_put(*store, kKey, body, put_object(*store, kKey, body), {.read_back_always = always});
    EXPECT_EQ(put.state, always ? PutOutcome::State::kOtherBytes : PutOutcome::State::kStored);
  }
}

TEST(LookAfterCancel, MakesOneLookMoreAfterASignal) {
  const auto looks = [](LookAfterCancel& look) {
    int count = 0;
    static_cast<void>(look([&]() -> Result<void> {
      ++count;
      return Error(ErrorCode::kCancelled, "asked to stop");
    }));
    return count;
  };
  LookAfterCancel look;
  EXPECT_EQ(looks(look), 2);
  EXPECT_EQ(looks(look), 1);
  LookAfterCancel after;
  after.was_cancelled();
  EXPECT_EQ(looks(after), 1);
}

}  // namespace
}  // namespace drs
