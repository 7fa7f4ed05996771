#include "engine/repository/settled_put.h"

#include <gtest/gtest.h>

#include "codecs/sha256.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"

namespace drs {
namespace {

class SettledPut : public testing::Test {
 protected:
  std::string put() {
    const auto stored = put_settled(*store_, "packs/aa/x", body_, sha256(body_));
    return stored.ok() ? "ok" : std::string(error_code_name(stored.error().code));
  }
  [[nodiscard]] bool stands() const {
    const auto found = objects_->find("packs/aa/x");
    return found && *found->bytes == body_;
  }
  void take_name(const Bytes& bytes) { ASSERT_TRUE(objects_->insert("packs/aa/x", bytes, 0)); }

  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  std::unique_ptr<ObjectStore> store_ = make_fault_store(make_memory_store(objects_), plan_);
  const Bytes body_ = Bytes(3 * kMiB / 2, 5);
};

TEST_F(SettledPut, ATakenNameIsOursByItsBytes) {
  take_name(body_);
  EXPECT_EQ(put(), "ok");
}

TEST_F(SettledPut, ATakenNameWithOtherBytesOfTheSameLengthIsNotOurs) {
  Bytes other = body_;
  other.back() ^= 1;
  take_name(other);
  EXPECT_EQ(put(), "corrupt");
  EXPECT_EQ(*objects_->find("packs/aa/x")->bytes, other);
}

TEST_F(SettledPut, ATakenNameThatHoldsOurBytesAndMoreIsNotOurs) {
  Bytes longer = body_;
  longer.push_back(0);
  take_name(longer);
  EXPECT_EQ(put(), "corrupt");
}

TEST_F(SettledPut, ATakenNameThatHoldsTheBeginningOfOurBytesIsNotOurs) {
  take_name(Bytes(body_.begin(), body_.end() - 1));
  EXPECT_EQ(put(), "corrupt");
}

TEST_F(SettledPut, ALostReplyIsSettledByWhatIsThere) {
  plan_->fail_nth(1, {FaultKind::kLoseReply, ErrorCode::kUnavailable});
  EXPECT_EQ(put(), "ok");
  EXPECT_TRUE(stands());
}

TEST_F(SettledPut, APutThatNeverArrivedIsMadeAgain) {
  plan_->fail_nth(1, {FaultKind::kFail, ErrorCode::kUnavailable});
  EXPECT_EQ(put(), "ok");
  EXPECT_TRUE(stands());
}

TEST_F(SettledPut, AStoreThatNeverAnswersIsNoSuccess) {
  plan_->fail_randomly(1, {FaultKind::kFail, ErrorCode::kUnavailable});
  EXPECT_EQ(put(), "unavailable");
}

TEST_F(SettledPut, ADefiniteErrorIsNotTriedAgain) {
  plan_->fail_nth(1, {FaultKind::kFail, ErrorCode::kNoSpace});
  EXPECT_EQ(put(), "no-space");
  EXPECT_FALSE(stands());
}

}  // namespace
}  // namespace drs
