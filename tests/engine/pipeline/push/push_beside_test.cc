// Pushes during a repair of the index: a push commits its snapshot whenever the repair replaces index objects.
#include <gtest/gtest.h>

#include <mutex>

#include "engine/format/names.h"
#include "engine/pipeline/push/reused_objects.h"
#include "engine/repository/repair_index.h"
#include "sinks/memory_store.h"
#include "sinks/spool/spool_store.h"
#include "tests/engine/pipeline/push/push_fixture.h"
#include "tests/sinks/hook_store.h"
#include "tests/sinks/spool/contract_ruling.h"

namespace drs {
namespace {

using test::random_stream;

class PushBesideTest : public test::PushTest {
 protected:
  void SetUp() override {
    PushTest::SetUp();
    repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_, &clock_), hook_));
    objects_->lock_objects();  // so that reused objects are secured
  }
  // Repairs the index as another process would.
  void repair() {
    Secret secret{SlotKind::kRawKey, SecretBytes(32)};
    secret.bytes.mutable_view()[0] = 1;
    const auto repository =
        Repository::open(make_memory_store(objects_, &clock_), clock_, secret, best_crypto_backend());
    ASSERT_TRUE(repository.ok()) << repository.error().message;
    ProgressCounters progress;
    CancelToken none;
    const auto report = repair_index(**repository, {.all = true}, progress, none);
    ASSERT_TRUE(report.ok()) << report.error().message;
  }
  // The index cache holds one piece of the index, as if the index were much larger than the memory.
  Result<PushReport> push_with_little_memory(ByteView stream) {
    PushOptions options;
    options.stream = "test/stream";
    DRS_ASSIGN_OR_RETURN(PushMemory memory,
                         plan_push({.memory_bytes = kMemoryBytesMin, .threads = 2}, options.compression));
    memory.index_cache_bytes = 0;
    DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
    BufferSource source(stream);
    ProgressCounters progress;
    return push(*repository_, source, options, {memory, arena}, {progress, cancel_});
  }
  // Runs `act` before the nth call of `operation` on a key that starts with `prefix`.
  void before(std::string operation, std::string prefix, int nth, std::function<void(std::string_view)> act) {
    *hook_ = [=, this, seen = 0](std::string_view called, std::string_view key) mutable -> std::optional<Error> {
      const std::lock_guard lock(mutex_);
      if (called == operation && key.starts_with(prefix) && ++seen == nth) {
        acted_ = true;
        act(key);
      }
      return std::nullopt;
    };
    acted_ = false;
  }

  const std::shared_ptr<test::StoreHook> hook_ = std::make_shared<test::StoreHook>();
  std::mutex mutex_;
  bool acted_ = false;
};

TEST_F(PushBesideTest, ARepairBetweenTheLastListAndTheCommitKeepsNoPushFromItsSnapshot) {
  const Bytes stream = random_stream(21, 3 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  // The first call is at the start of the push.
  before("secure", "", 2, [this](std::string_view) { repair(); });
  const auto report = push_bytes(stream);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(acted_);
  EXPECT_EQ(report->manifest.new_bytes, 0U);
  EXPECT_EQ(*read_back(report->manifest), stream);
}

TEST_F(PushBesideTest, ARepairWhileASpooledStreamIsOnItsWayKeepsNoPushFromItsSnapshot) {
  const Bytes stream = random_stream(26, 3 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  const auto indexes = objects_->list("index/");
  SpoolOptions options;
  options.rule = test::contract_ruling;
  options.secure = secure_for_commit;
  options.size_bytes_max = options.upload_bytes_max = 64 * kMiB;
  options.on_recorded = [&] {
    repair();
    for (const ObjectInfo& index : indexes) objects_->erase(index.key);
  };
  const auto spool =
      Spool::open(repository_->store(), make_memory_store(std::make_shared<MemoryObjects>()), std::move(options));
  ASSERT_TRUE(spool.ok()) << spool.error().message;
  repository_->replace_store(*(*spool)->wrap(*repository_->store().clone()));
  const auto report = push_bytes(stream);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->manifest.new_bytes, 0U);
  EXPECT_EQ(*read_back(report->manifest), stream);
}

TEST_F(PushBesideTest, RepairsThatNeverEndStopAPushAfterSomeLists) {
  const Bytes stream = random_stream(22, 1 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  int secured = 0;
  *hook_ = [&](std::string_view operation, std::string_view) -> std::optional<Error> {
    const std::lock_guard lock(mutex_);
    if (operation == "secure" && ++secured > 1) {
      ObjectKey key = "keys/" + Uuid{{static_cast<Byte>(secured)}}.hex();
      objects_->insert(key, {}, 0);  // so that every list differs from the last one
      return Error(ErrorCode::kIo, "gone");
    }
    return std::nullopt;
  };
  const auto report = push_bytes(stream);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kIo);
  EXPECT_EQ(secured, 11);
}

TEST_F(PushBesideTest, APackThatIsReusedAndGoneAtTheCommitEndsThePush) {
  const Bytes stream = random_stream(23, 3 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  const auto packs = objects_->list("packs/");
  ASSERT_EQ(packs.size(), 1U);
  before("secure", "", 2, [&](std::string_view) {
    repair();  // index objects vanish, too
    objects_->erase(packs.front().key);
  });
  const auto report = push_bytes(stream);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kIo);
  EXPECT_EQ(objects_->list("manifests/").size(), 1U);
}

TEST_F(PushBesideTest, ARepairKeepsNoPushFromItsSnapshotWheneverItReplacesTheIndex) {
  const Bytes first = random_stream(24, 2 << 20);
  const Bytes second = random_stream(25, 2 << 20);
  ASSERT_TRUE(push_bytes(first).ok());
  ASSERT_TRUE(push_bytes(second).ok());
  Bytes stream = first;
  stream.insert(stream.end(), second.begin(), second.end());
  int nth = 1;
  for (;; nth += 1 + nth / 4) {
    repair();
    before("get", "index/", nth, [this](std::string_view) { repair(); });
    const auto report = push_with_little_memory(stream);
    ASSERT_TRUE(report.ok()) << nth << ": " << report.error().message;
    *hook_ = nullptr;
    EXPECT_EQ(*read_back(report->manifest), stream) << nth;
    for (const std::string& warning : report->warnings) ADD_FAILURE() << nth << ": " << warning;
    objects_->erase(report->manifest_name);
    if (!acted_) break;
  }
  EXPECT_GT(nth, 5);
}

}  // namespace
}  // namespace drs
