#include "sinks/fault_store.h"

#include <gtest/gtest.h>

#include "sinks/memory_store.h"
#include "sinks/object_io.h"
#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

using test::outcome;
using test::random_bytes;
using test::run_until_done;
using test::TestPut;

class FaultStoreTest : public testing::Test {
 protected:
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>(3);
  std::unique_ptr<ObjectStore> store_ = make_fault_store(make_memory_store(objects_), plan_);
};

TEST_F(FaultStoreTest, FailsTheNthOperationWithTheGivenCodeAndDoesNothing) {
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kNoSpace, ErrorCode::kDenied, ErrorCode::kIo}) {
    plan_->fail_nth(2, {.kind = FaultKind::kFail, .code = code});
    const std::string name(error_code_name(code));
    EXPECT_TRUE(put_object(*store_, name + ".1", as_bytes("x")).ok());
    EXPECT_EQ(outcome(put_object(*store_, name + ".2", as_bytes("x"))), name);
    EXPECT_FALSE(objects_->find(name + ".2"));
    EXPECT_TRUE(put_object(*store_, name + ".3", as_bytes("x")).ok());
  }
  EXPECT_EQ(plan_->faults(), 4U);
}

TEST_F(FaultStoreTest, CountsSoThatALoopCanFailEachOperationOnce) {
  ASSERT_TRUE(put_object(*store_, "object", as_bytes("content")).ok());
  std::uint64_t rounds = 0;
  while (true) {
    plan_ = std::make_shared<FaultPlan>();
    plan_->fail_nth(++rounds, {});
    store_ = make_fault_store(make_memory_store(objects_), plan_);
    // Two operations: list, get.
    const auto ignore = [](const ObjectInfo&) -> Result<void> { return {}; };
    bool ok = store_->list("", ignore).ok();
    ok = get_object(*store_, "object", 100).ok() && ok;
    EXPECT_EQ(ok, plan_->faults() == 0);
    if (plan_->faults() == 0) break;
    ASSERT_LT(rounds, 10U);
  }
  EXPECT_EQ(rounds, 3U);
}

TEST_F(FaultStoreTest, LosesAReplyOfAPutThatHappened) {
  plan_->fail_nth(1, {.kind = FaultKind::kLoseReply});
  EXPECT_EQ(outcome(put_object(*store_, "object", as_bytes("content"))), "unavailable");
  ASSERT_TRUE(objects_->find("object"));
  EXPECT_EQ(as_text(*objects_->find("object")->bytes), "content");
  plan_->fail_nth(1, {.kind = FaultKind::kLoseReply});
  EXPECT_EQ(outcome(store_->remove("object")), "unavailable");
  EXPECT_FALSE(objects_->find("object"));
}

TEST_F(FaultStoreTest, TearsAPutSoThatTheObjectIsShorterThanItsBody) {
  const Bytes body = random_bytes(10'000, 1);
  plan_->fail_nth(1, {.kind = FaultKind::kTear});
  plan_->fail_nth(2, {.kind = FaultKind::kTearSilently});
  EXPECT_EQ(outcome(put_object(*store_, "torn", body)), "unavailable");
  EXPECT_EQ(outcome(put_object(*store_, "lied", body)), "ok");
  for (const ObjectKey key : {"torn", "lied"}) {
    ASSERT_TRUE(objects_->find(key));
    const Bytes& stored = *objects_->find(key)->bytes;
    EXPECT_LT(stored.size(), body.size());
    EXPECT_TRUE(std::equal(stored.begin(), stored.end(), body.begin()));
  }
}

TEST_F(FaultStoreTest, HoldsTheFaultOfAnUnnamedPutUntilItIsNamedOrDropped) {
  plan_->fail_nth(1, {.kind = FaultKind::kFail, .code = ErrorCode::kNoSpace});
  plan_->fail_nth(2, {.kind = FaultKind::kFail, .code = ErrorCode::kNoSpace});
  TestPut named("", {as_bytes("a")});
  TestPut dropped("", {as_bytes("b")});
  store_->put(named.operation);
  store_->put(dropped.operation);
  ASSERT_TRUE(store_->run(true).ok());
  EXPECT_EQ(named.done_count + dropped.done_count, 0);
  store_->name(named.operation, "a");
  store_->drop(dropped.operation);
  run_until_done(*store_, named);
  run_until_done(*store_, dropped);
  EXPECT_EQ(outcome(named.operation.result), "no-space");
  EXPECT_EQ(outcome(dropped.operation.result), "cancelled");
  EXPECT_FALSE(objects_->find("a"));
}

TEST_F(FaultStoreTest, ReordersCompletionsTheSameWayForOneSeed) {
  const auto order_of = [](std::uint64_t seed) {
    struct Recorded {
      PutOperation operation;
      std::vector<std::string>* order = nullptr;
    };
    auto plan = std::make_shared<FaultPlan>(seed);
    plan->reorder_completions(true);
    const auto store = make_fault_store(make_memory_store(std::make_shared<MemoryObjects>()), plan);
    std::vector<std::string> order;
    std::vector<Recorded> puts(20);
    for (std::size_t i = 0; i < puts.size(); ++i) {
      puts[i].order = &order;
      puts[i].operation.key = std::to_string(i);
      puts[i].operation.owner = &puts[i];
      puts[i].operation.done = [](PutOperation& put) { static_cast<Recorded*>(put.owner)->order->push_back(put.key); };
      store->put(puts[i].operation);
    }
    while (store->in_flight() > 0) EXPECT_GT(*store->run(true), 0U);
    EXPECT_EQ(order.size(), puts.size());
    return order;
  };
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
}

TEST_F(FaultStoreTest, FailsRandomlyByItsSeed) {
  const auto failures = [](std::uint64_t seed) {
    auto plan = std::make_shared<FaultPlan>(seed);
    plan->fail_randomly(0.3, {});
    const auto store = make_fault_store(make_memory_store(std::make_shared<MemoryObjects>()), plan);
    std::vector<bool> failed;
    for (int i = 0; i < 100; ++i) failed.push_back(!put_object(*store, std::to_string(i), {}).ok());
    EXPECT_EQ(plan->operations(), 100U);
    EXPECT_GT(plan->faults(), 10U);
    EXPECT_LT(plan->faults(), 60U);
    return failed;
  };
  EXPECT_EQ(failures(1), failures(1));
  EXPECT_NE(failures(1), failures(2));
}

}  // namespace
}  // namespace drs
