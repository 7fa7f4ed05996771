#include "engine/repository/repository.h"

#include <gtest/gtest.h>

#include "engine/format/names.h"
#include "engine/repository/key_slots.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"

namespace drs {
namespace {

Secret raw_key(std::uint8_t fill) {
  Secret secret{SlotKind::kRawKey, SecretBytes(32)};
  Byte next = fill;
  for (Byte& byte : secret.bytes.mutable_view()) byte = next++;
  return secret;
}

class RepositoryTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Repository>> open(const Secret& secret, std::shared_ptr<FaultPlan> plan) {
    return Repository::open(make_fault_store(make_memory_store(objects_), std::move(plan)), clock_, secret,
                            best_crypto_backend());
  }
  void init() {
    const auto store = make_memory_store(objects_);
    InitOptions options;
    options.secret = raw_key(1);
    ASSERT_TRUE(Repository::init(*store, clock_, options).ok());
  }

  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  SystemClock clock_;
};

TEST_F(RepositoryTest, OpensOrTellsOfTheFailedReadAndNeverOfDamageOrAWrongKey) {
  init();
  const auto repository = open(raw_key(1), std::make_shared<FaultPlan>());
  ASSERT_TRUE(repository.ok());
  ASSERT_TRUE(add_slot(**repository, raw_key(2), "second").ok());
  for (const std::uint8_t key : {std::uint8_t{1}, std::uint8_t{2}}) {
    const auto counted = std::make_shared<FaultPlan>();
    ASSERT_TRUE(open(raw_key(key), counted).ok());
    for (std::uint64_t nth = 1; nth <= counted->operations(); ++nth) {
      const auto plan = std::make_shared<FaultPlan>();
      plan->fail_nth(nth, {FaultKind::kFail, ErrorCode::kIo});
      const auto result = open(raw_key(key), plan);
      if (!result.ok()) {
        EXPECT_EQ(result.error().code, ErrorCode::kIo) << nth << ": " << result.error().message;
      }
    }
  }
}

TEST_F(RepositoryTest, OpensBesideASlotThatCannotBeRead) {
  init();
  const auto repository = open(raw_key(1), std::make_shared<FaultPlan>());
  ASSERT_TRUE(repository.ok());
  const auto second = add_slot(**repository, raw_key(2), "second");
  ASSERT_TRUE(second.ok());
  Bytes damaged = *objects_->find(slot_name(*second))->bytes;
  damaged.back() ^= 1;
  objects_->damage(slot_name(*second), damaged);
  EXPECT_TRUE(open(raw_key(1), std::make_shared<FaultPlan>()).ok());
  EXPECT_EQ(open(raw_key(2), std::make_shared<FaultPlan>()).error().code, ErrorCode::kWrongKey);
}

TEST_F(RepositoryTest, NamesSlotsAfterTheirDigest) {
  init();
  const auto slots = objects_->list("keys/");
  ASSERT_EQ(slots.size(), 1U);
  EXPECT_EQ(slots[0].key, slot_name(slot_id(*objects_->find(slots[0].key)->bytes)));
}

TEST_F(RepositoryTest, LeavesNothingThatNobodyCanOpenWhenInitFails) {
  for (const FaultKind kind : {FaultKind::kFail, FaultKind::kLoseReply, FaultKind::kTear}) {
    for (std::uint64_t nth = 1; nth <= 4; ++nth) {
      objects_ = std::make_shared<MemoryObjects>();
      const auto plan = std::make_shared<FaultPlan>();
      plan->fail_nth(nth, {kind, ErrorCode::kIo});
      InitOptions options;
      options.secret = raw_key(1);
      const auto store = make_fault_store(make_memory_store(objects_), plan);
      const auto made = Repository::init(*store, clock_, options);
      const bool configured = !objects_->list("config/").empty();
      const auto opened = open(raw_key(1), std::make_shared<FaultPlan>());
      if (made.ok()) {
        EXPECT_TRUE(opened.ok()) << nth;
      } else if (configured) {
        // A torn config cannot be told from damage and is left to be looked at, with its slot.
        EXPECT_EQ(kind, FaultKind::kTear) << nth;
        EXPECT_FALSE(objects_->list("keys/").empty()) << nth;
      } else {
        EXPECT_EQ(opened.error().code, ErrorCode::kNoRepository) << nth;
      }
    }
  }
}

}  // namespace
}  // namespace drs
