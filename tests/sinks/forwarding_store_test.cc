#include "sinks/forwarding_store.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "sinks/memory_store.h"
#include "sinks/object_io.h"
#include "tests/sinks/plain_decorator.h"
#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

using test::outcome;
using test::PlainDecorator;
using test::TestPut;

using Calls = std::vector<std::string>;

// Records calls that leave no trace in the objects.
class RecordingStore final : public ForwardingStore {
 public:
  RecordingStore(std::unique_ptr<ObjectStore> inner, Calls& calls) : ForwardingStore(std::move(inner)), calls_(calls) {}

  void wake() override { calls_.emplace_back("wake"); }
  Result<void> list_together(std::span<const std::string_view> prefixes, const Visit& visit) override {
    calls_.push_back("list " + std::to_string(prefixes.size()));
    return ForwardingStore::list_together(prefixes, visit);
  }
  Result<void> remove_all(std::span<const ObjectKey> keys) override {
    calls_.push_back("remove " + std::to_string(keys.size()));
    return ForwardingStore::remove_all(keys);
  }
  void register_memory(MutableByteView memory) override {
    calls_.push_back("register " + std::to_string(memory.size()));
  }
  [[nodiscard]] StoreTraits traits() const override {
    return {.parallel_max = 7, .operation_bytes = 3, .secures = true, .locks = true};
  }
  [[nodiscard]] StoreDescription describe() const override { return {"recorded", "by hand"}; }
  [[nodiscard]] std::vector<RequestCount> request_counts() const override {
    std::vector<RequestCount> counts(1);
    counts.front().kind = "put";
    return counts;
  }

 private:
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) override {
    return std::unique_ptr<ObjectStore>(std::make_unique<RecordingStore>(std::move(inner), calls_));
  }
  Calls& calls_;
};

class ForwardingStoreTest : public testing::Test {
 protected:
  Calls calls_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::unique_ptr<ObjectStore> store_ =
      std::make_unique<PlainDecorator>(std::make_unique<RecordingStore>(make_memory_store(objects_), calls_));
};

// A remote store makes several lists at the same time, and removes many objects with one request.
TEST_F(ForwardingStoreTest, KeepsTogetherWhatIsAskedTogether) {
  constexpr std::array<std::string_view, 2> kPrefixes = {"a/", "b/"};
  ASSERT_TRUE(store_->list_together(kPrefixes, [](const ObjectInfo&) -> Result<void> { return {}; }).ok());
  const std::vector<ObjectKey> keys = {"a/1", "a/2", "a/3"};
  ASSERT_TRUE(store_->remove_all(keys).ok());
  EXPECT_EQ(calls_, (Calls{"list 2", "remove 3"}));
}

TEST_F(ForwardingStoreTest, PassesOnWhatShowsInNoObject) {
  Bytes memory(16);
  store_->register_memory(memory);
  store_->wake();
  EXPECT_EQ(calls_, (Calls{"register 16", "wake"}));
  const StoreTraits traits = store_->traits();
  EXPECT_EQ(traits.parallel_max, 7U);
  EXPECT_EQ(traits.operation_bytes, 3U);
  EXPECT_TRUE(traits.secures);
  EXPECT_TRUE(traits.locks);
  EXPECT_EQ(store_->name_for_messages(), "recorded");
  EXPECT_EQ(store_->io_description(), "by hand");
  ASSERT_EQ(store_->request_counts().size(), 1U);
}

TEST_F(ForwardingStoreTest, SecuresInTheStoreWithin) {
  objects_->lock_objects();
  ASSERT_TRUE(put_object(*store_, "kept", as_bytes("kept")).ok());
  EXPECT_EQ(outcome(store_->secure({"kept"})), "ok");
  EXPECT_EQ(objects_->locked().at("kept"), 1);
}

TEST_F(ForwardingStoreTest, ACloneIsDecoratedAndWorksByItself) {
  const auto second = store_->clone();
  ASSERT_TRUE(second.ok());
  EXPECT_NE(dynamic_cast<PlainDecorator*>(second->get()), nullptr);
  TestPut waiting("", {as_bytes("waiting")});
  store_->put(waiting.operation);
  EXPECT_EQ(store_->in_flight(), 1U);
  EXPECT_EQ((*second)->in_flight(), 0U);
  store_->drop(waiting.operation);
  EXPECT_EQ(*store_->run(true), 1U);
  (*second)->wake();
  EXPECT_EQ(calls_, Calls{"wake"});
}

}  // namespace
}  // namespace drs
