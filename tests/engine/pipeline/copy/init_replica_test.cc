// Two inits of a replica of one source at one place: both store the same configs, and each a slot of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <optional>
#include <thread>

#include "engine/repository/repository.h"
#include "tests/engine/pipeline/copy/copy_runs.h"
#include "tests/sinks/hook_store.h"

namespace drs::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class InitReplicaTest : public testing::Test {
 protected:
  // Runs before an init puts the config of that name; the put ends with the error that it returns.
  using BeforePut = std::function<std::optional<Error>(std::string_view config)>;

  void SetUp() override { source_ = *stored_.open(); }
  Result<void> init(Byte key, const BeforePut& before_put) {
    const auto hook =
        std::make_shared<StoreHook>([&](std::string_view operation, std::string_view name) -> std::optional<Error> {
          return operation == "put" && name.starts_with("config/") ? before_put(name) : std::nullopt;
        });
    HookStore store(target_.store(), hook);
    return Repository::init_replica(store, *source_, {raw_key(key), ""});
  }
  // The replica of the init that succeeded, whose key is raw_key(90).
  void expect_whole() const {
    EXPECT_THAT(target_.names("config/"), SizeIs(2));
    const auto opened = target_.open();
    EXPECT_TRUE(opened.ok()) << opened.error().message;
  }

  StoredRepository stored_;
  std::unique_ptr<Repository> source_;
  Target target_;
  const Error full_{ErrorCode::kNoSpace, "the disk is full"};
};

TEST_F(InitReplicaTest, AFailedInitLeavesTheConfigsThatAnotherFound) {
  std::promise<void> other_found_an_empty_place;
  std::promise<void> config_is_stored;
  Result<void> other;
  std::thread thread;
  const auto failed = init(1, [&](std::string_view config) -> std::optional<Error> {
    if (config == stored_.config_1) {
      thread = std::thread([&] {
        other = init(90, [&](std::string_view its_config) -> std::optional<Error> {
          if (its_config != stored_.config_1) return std::nullopt;
          other_found_an_empty_place.set_value();
          config_is_stored.get_future().wait();
          return std::nullopt;
        });
      });
      other_found_an_empty_place.get_future().wait();
      return std::nullopt;
    }
    config_is_stored.set_value();
    thread.join();
    return full_;
  });
  EXPECT_TRUE(other.ok()) << other.error().message;
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace);
  EXPECT_THAT(failed.error().message, HasSubstr(stored_.config_1 + ", " + stored_.config_2 + " stay, since another"));
  expect_whole();
}

TEST_F(InitReplicaTest, AFailedInitLeavesTheConfigsThatAnotherStored) {
  const auto failed = init(1, [&](std::string_view config) -> std::optional<Error> {
    if (config == stored_.config_2) return full_;
    target_.init_replica(*source_);
    return std::nullopt;
  });
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace);
  expect_whole();
}

TEST_F(InitReplicaTest, AnInitThatStoredNoConfigTakesItsSlotBack) {
  const auto failed = init(1, [&](std::string_view /*config*/) { return std::optional(full_); });
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(target_.names(), IsEmpty());
  target_.init_replica(*source_);
  expect_whole();
}

}  // namespace
}  // namespace drs::test
