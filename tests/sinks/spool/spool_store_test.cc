// Objects that wait in the spool until they are in the store: order, room, failures, and the state after a crash.
#include "sinks/spool/spool_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "codecs/sha256.h"
#include "sinks/fault_store.h"
#include "sinks/forwarding_store.h"
#include "sinks/memory_store.h"
#include "sinks/object_io.h"
#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

using test::listed_keys;
using test::outcome;
using test::random_bytes;
using test::run_until_done;
using test::TestPut;

constexpr std::size_t kObjectBytes = 1000;

// A store whose puts wait until the gate is open. Records the order in which they ended.
struct Gate {
  std::atomic<bool> open = false;
  std::atomic<bool> no_memory = false;  // puts throw
  std::mutex mutex;
  std::vector<ObjectKey> stored;
  std::vector<ObjectKey> order() {
    const std::lock_guard lock(mutex);
    return stored;
  }
};

class GatedStore final : public ForwardingStore {
 public:
  GatedStore(std::unique_ptr<ObjectStore> inner, Gate& gate) : ForwardingStore(std::move(inner)), gate_(gate) {}
  void put(PutOperation& operation) override {
    if (gate_.no_memory) throw std::bad_alloc();
    held_.push_back(&operation);
  }
  void name(PutOperation& operation, ObjectKey key) override { operation.key = std::move(key); }
  void drop(PutOperation& /*operation*/) override { FAIL() << "nothing is dropped here"; }
  Result<std::size_t> run(bool wait) override {
    woken_ = false;
    do {
      DRS_ASSIGN_OR_RETURN(const std::size_t done, inner().run(false));
      const auto puts = gate_.open ? std::exchange(held_, {}) : std::vector<PutOperation*>();
      for (PutOperation* const put : puts) {
        put->result = put_object(inner(), put->key, put->body.empty() ? ByteView() : put->body.front());
        {
          const std::lock_guard lock(gate_.mutex);
          gate_.stored.push_back(put->key);
        }
        put->done(*put);
      }
      if (done + puts.size() > 0) return done + puts.size();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    } while (wait && in_flight() > 0 && !woken_);
    return std::size_t{0};
  }
  void wake() override { woken_ = true; }
  [[nodiscard]] std::size_t in_flight() const override { return held_.size() + inner().in_flight(); }

 private:
  Result<std::unique_ptr<ObjectStore>> around(std::unique_ptr<ObjectStore> inner) override {
    return std::unique_ptr<ObjectStore>(std::make_unique<GatedStore>(std::move(inner), gate_));
  }

  Gate& gate_;
  std::vector<PutOperation*> held_;
  std::atomic<bool> woken_ = false;
};

SpoolRuling ruling_of(std::string_view key) {
  if (key.starts_with("packs/")) return {SpoolRole::kAnyOrder, std::nullopt};
  if (key.starts_with("index/")) return {SpoolRole::kInOrder, std::nullopt};
  if (key.starts_with("manifests/")) return {SpoolRole::kCommit, std::nullopt};
  return {};
}

Bytes body_of(const ObjectKey& key) {
  return random_bytes(kObjectBytes, std::hash<std::string>()(key));
}

// A put of the object that belongs to `key`.
struct KeyPut {
  explicit KeyPut(const ObjectKey& key) : body(body_of(key)), put(key, {body}) {}
  Bytes body;
  TestPut put;
};

class SpoolTest : public testing::Test {
 protected:
  ~SpoolTest() override {
    gate_.open = true;
    store_.reset();
    spool_.reset();
  }

  void open(std::uint64_t size_bytes_max = 1 * kMiB) {
    gated_ = std::make_unique<GatedStore>(make_fault_store(make_memory_store(objects_), faults_), gate_);
    SpoolOptions options;
    options.rule = rule_;
    options.secure = secure_;
    options.size_bytes_max = size_bytes_max;
    options.upload_bytes_max = 1 * kMiB;
    options.retry_pause = std::chrono::milliseconds(1);
    options.progress = &progress_;
    options.on_recorded = [this] { ++recorded_; };
    options.on_uploads_stopped = [this](const Error&) { ++stopped_; };
    auto local = make_fault_store(make_memory_store(local_objects_), local_faults_);
    auto spool = Spool::open(*gated_, std::move(local), options);
    ASSERT_TRUE(spool.ok()) << spool.error().message;
    spool_ = *std::move(spool);
    store_ = *spool_->wrap(*gated_->clone());
  }

  // Runs the store for a moment, in which everything happens that can happen.
  void run_for_a_while(const TestPut& put) {
    for (int i = 0; i < 50 && put.done_count == 0; ++i) {
      ASSERT_TRUE(store_->run(false).ok());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  std::string put(const ObjectKey& key) { return outcome(put_object(*store_, key, body_of(key))); }
  bool is_stored(const ObjectKey& key) {
    const auto found = objects_->find(key);
    return found && *found->bytes == body_of(key);
  }
  std::string content_outcome(const ObjectKey& key) {
    const auto content = get_object(*store_, key, kMiB);
    if (!content.ok()) return outcome(content);
    return *content == body_of(key) ? "ok" : "other bytes";
  }

  Gate gate_;
  SpoolRule rule_ = ruling_of;
  SpoolSecure secure_;
  ProgressCounters progress_;
  std::atomic<int> recorded_ = 0;
  std::atomic<int> stopped_ = 0;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<MemoryObjects> local_objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<FaultPlan> faults_ = std::make_shared<FaultPlan>(1);
  std::shared_ptr<FaultPlan> local_faults_ = std::make_shared<FaultPlan>(2);
  std::unique_ptr<ObjectStore> gated_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(SpoolTest, PutsAreDoneAndVisibleWhileTheStoreStandsStill) {
  open();
  for (const ObjectKey key : {"packs/1", "packs/2", "index/1"}) EXPECT_EQ(put(key), "ok");
  EXPECT_EQ(content_outcome("packs/2"), "ok");
  EXPECT_EQ(store_->stat("index/1")->size_bytes, kObjectBytes);
  EXPECT_EQ(listed_keys(*store_, "packs/"), (std::set<ObjectKey>{"packs/1", "packs/2"}));
  EXPECT_TRUE(objects_->list("").empty());
  EXPECT_EQ(progress_.spooled_objects, 3U);
  gate_.open = true;
  ASSERT_TRUE(spool_->drain().ok());
  for (const ObjectKey key : {"packs/1", "packs/2", "index/1"}) EXPECT_TRUE(is_stored(key)) << key;
  EXPECT_EQ(content_outcome("packs/2"), "ok");
  EXPECT_TRUE(local_objects_->list("").empty());
  EXPECT_EQ(progress_.uploaded_objects, 3U);
}

TEST_F(SpoolTest, WhatHasAnOrderIsStoredAfterAllThatWasSpooledBefore) {
  open();
  for (const ObjectKey key : {"packs/1", "packs/2", "index/1", "packs/3", "index/2"}) EXPECT_EQ(put(key), "ok");
  gate_.open = true;
  ASSERT_TRUE(spool_->drain().ok());
  const std::vector<ObjectKey> order = gate_.order();
  ASSERT_EQ(order.size(), 5U);
  EXPECT_EQ(order[2], "index/1");
  EXPECT_EQ(order[4], "index/2");
}

TEST_F(SpoolTest, PutsWaitWhileTheSpoolIsFull) {
  open(2 * kObjectBytes + 500);
  EXPECT_EQ(put("packs/1"), "ok");
  EXPECT_EQ(put("packs/2"), "ok");
  KeyPut third("packs/3");
  store_->put(third.put.operation);
  run_for_a_while(third.put);
  EXPECT_EQ(third.put.done_count, 0);
  EXPECT_FALSE(local_objects_->find("packs/3"));
  gate_.open = true;
  run_until_done(*store_, third.put);
  EXPECT_TRUE(third.put.operation.result.ok());
  ASSERT_TRUE(spool_->drain().ok());
  EXPECT_TRUE(is_stored("packs/3"));
}

TEST_F(SpoolTest, WhatIsLargerThanTheSpoolGoesStraightToTheStore) {
  gate_.open = true;
  open(kObjectBytes / 2);
  EXPECT_EQ(put("packs/1"), "ok");
  EXPECT_TRUE(is_stored("packs/1"));
}

// The thread that publishes an index also names packs: it must not wait for room that unnamed packs hold.
TEST_F(SpoolTest, NoPutWaitsForRoomThatOnlyPutsWithoutANameHold) {
  gate_.open = true;
  open(kObjectBytes + 500);
  KeyPut unnamed("packs/1");
  unnamed.put.operation.key.clear();
  store_->put(unnamed.put.operation);
  EXPECT_EQ(put("index/1"), "ok");
  store_->name(unnamed.put.operation, "packs/1");
  run_until_done(*store_, unnamed.put);
  ASSERT_TRUE(spool_->drain().ok());
  EXPECT_TRUE(is_stored("packs/1"));
  EXPECT_TRUE(is_stored("index/1"));
}

TEST_F(SpoolTest, ACommitIsRecordedFirstAndDoneOnceItIsTheLastInTheStore) {
  open();
  EXPECT_EQ(put("packs/1"), "ok");
  EXPECT_EQ(put("index/1"), "ok");
  KeyPut commit("manifests/1");
  store_->put(commit.put.operation);
  run_for_a_while(commit.put);
  EXPECT_EQ(commit.put.done_count, 0);
  EXPECT_EQ(recorded_, 1);
  EXPECT_TRUE(progress_.spool_is_complete);
  EXPECT_EQ(spool_->recorded(), std::vector<ObjectKey>{"manifests/1"});
  EXPECT_TRUE(local_objects_->find("manifests/1"));
  // A recorded commit is not committed.
  EXPECT_EQ(content_outcome("manifests/1"), "not-found");
  EXPECT_EQ(outcome(store_->stat("manifests/1")), "not-found");
  EXPECT_TRUE(listed_keys(*store_, "manifests/").empty());
  gate_.open = true;
  run_until_done(*store_, commit.put);
  EXPECT_TRUE(commit.put.operation.result.ok());
  EXPECT_EQ(gate_.order().back(), "manifests/1");
  EXPECT_EQ(content_outcome("manifests/1"), "ok");
  EXPECT_TRUE(local_objects_->find("manifests/1")) << "the record stays until the spool's owner ends it";
}

TEST_F(SpoolTest, WhatACommitReliesOnIsSecuredByTheSpoolsOwnerOnceAllElseIsStored) {
  std::vector<ObjectKey> secured;
  secure_ = [&](ObjectStore& store, std::vector<ObjectKey> keys) -> Result<void> {
    EXPECT_EQ(listed_keys(store, ""), (std::set<ObjectKey>{"packs/1", "packs/2"}));
    secured = std::move(keys);
    return {};
  };
  ASSERT_TRUE(objects_->insert("packs/1", random_bytes(10, 1), 0));
  gate_.open = true;
  open();
  ASSERT_TRUE(store_->secure({"packs/1", "index/1"}).ok());
  EXPECT_EQ(put("packs/2"), "ok");
  EXPECT_TRUE(secured.empty());
  EXPECT_EQ(put("manifests/1"), "ok");
  EXPECT_EQ(secured, (std::vector<ObjectKey>{"packs/1", "index/1"}));
}

TEST_F(SpoolTest, ACommitThatPassesTheSpoolByIsSecuredByItsOwnerToo) {
  secure_ = [](ObjectStore&, const std::vector<ObjectKey>& keys) -> Result<void> {
    EXPECT_EQ(keys, std::vector<ObjectKey>{"index/1"});
    return Error(ErrorCode::kConflict, "no");
  };
  gate_.open = true;
  open();
  local_faults_->fail_randomly(1, {FaultKind::kFail, ErrorCode::kIo});
  ASSERT_TRUE(store_->secure({"index/1"}).ok());
  EXPECT_EQ(put("manifests/1"), "conflict");
  EXPECT_FALSE(is_stored("manifests/1"));
}

TEST_F(SpoolTest, ACommitThatFindsItsNameTakenSaysSo) {
  gate_.open = true;
  open();
  ASSERT_TRUE(objects_->insert("manifests/1", random_bytes(10, 1), 0));
  EXPECT_EQ(put("packs/1"), "ok");
  EXPECT_EQ(put("manifests/1"), "already-exists");
}

TEST_F(SpoolTest, AStoreThatRefusesIsTheTroubleOfWhoeverHasToWait) {
  faults_->fail_randomly(1, {FaultKind::kFail, ErrorCode::kDenied});
  gate_.open = true;
  open(3 * kObjectBytes + 500);
  for (const ObjectKey key : {"packs/1", "packs/2", "packs/3"}) EXPECT_EQ(put(key), "ok") << "there is room";
  EXPECT_EQ(outcome(spool_->drain()), "denied");
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(put("packs/4"), "denied");
  EXPECT_EQ(put("manifests/1"), "denied");
  EXPECT_EQ(spool_->recorded().size(), 1U) << "recorded all the same: it may be stored later";
  EXPECT_TRUE(objects_->list("").empty());
}

TEST_F(SpoolTest, WantOfMemoryEndsTheUploadsForWhoeverHasToWait) {
  gate_.no_memory = true;
  open();
  EXPECT_EQ(put("packs/1"), "ok");
  EXPECT_EQ(outcome(spool_->drain()), "busy");
  EXPECT_EQ(stopped_, 1);
}

TEST_F(SpoolTest, AnOutageIsWaitedOutWhileNobodyWaits) {
  faults_->fail_randomly(1, {FaultKind::kFail, ErrorCode::kUnavailable});
  gate_.open = true;
  open();
  EXPECT_EQ(put("packs/1"), "ok");
  while (faults_->faults() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(stopped_, 0);
  faults_->fail_randomly(0, {});
  EXPECT_EQ(put("manifests/1"), "ok");
  EXPECT_TRUE(is_stored("packs/1"));
}

TEST_F(SpoolTest, AnOutageEndsWhoeverWaits) {
  faults_->fail_randomly(1, {FaultKind::kFail, ErrorCode::kUnavailable});
  gate_.open = true;
  open();
  EXPECT_EQ(put("packs/1"), "ok");
  EXPECT_EQ(put("manifests/1"), "unavailable");
  // An unreachable store gets no more requests.
  const std::uint64_t asked = faults_->operations();
  EXPECT_EQ(outcome(store_->stat("config/1")), "unavailable");
  EXPECT_EQ(faults_->operations(), asked);
  EXPECT_EQ(content_outcome("packs/1"), "ok") << "it lies near by";
}

TEST_F(SpoolTest, WhenTheDiskIsFullPutsWaitForUploads) {
  gate_.open = false;
  open();
  EXPECT_EQ(put("packs/1"), "ok");
  // The spool entry was opened, written, and read for the upload.
  while (local_faults_->operations() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  local_faults_->fail_nth(1, {FaultKind::kFail, ErrorCode::kNoSpace});
  KeyPut second("packs/2");
  store_->put(second.put.operation);
  run_for_a_while(second.put);
  EXPECT_EQ(second.put.done_count, 0);
  gate_.open = true;
  run_until_done(*store_, second.put);
  EXPECT_TRUE(second.put.operation.result.ok());
  ASSERT_TRUE(spool_->drain().ok());
  EXPECT_TRUE(is_stored("packs/1"));
  EXPECT_TRUE(is_stored("packs/2"));
}

TEST_F(SpoolTest, GoesThroughWhereTheSpoolCannotBeWritten) {
  gate_.open = true;
  open();
  local_faults_->fail_randomly(1, {FaultKind::kFail, ErrorCode::kIo});
  for (const ObjectKey key : {"packs/1", "index/1", "manifests/1"}) {
    EXPECT_EQ(put(key), "ok");
    EXPECT_TRUE(is_stored(key)) << key;
  }
  EXPECT_TRUE(spool_->recorded().empty());
}

TEST_F(SpoolTest, UploadsNothingThatTheSpoolsDiskHasChanged) {
  rule_ = [](std::string_view key) {
    SpoolRuling ruling = ruling_of(key);
    ruling.sha256 = sha256(body_of(ObjectKey(key)));
    return ruling;
  };
  local_objects_->damage("packs/1", random_bytes(kObjectBytes, 77));
  gate_.open = true;
  open();
  EXPECT_EQ(outcome(spool_->drain()), "corrupt");
  EXPECT_TRUE(objects_->list("").empty());
}

TEST_F(SpoolTest, ANameThatIsTakenIsASuccessOnlyForTheSameBytes) {
  ASSERT_TRUE(objects_->insert("packs/1", body_of("packs/1"), 0));
  gate_.open = true;
  open();
  EXPECT_EQ(put("packs/1"), "ok");
  EXPECT_TRUE(spool_->drain().ok());
  ASSERT_TRUE(objects_->insert("packs/2", random_bytes(kObjectBytes, 99), 0));
  EXPECT_EQ(put("packs/2"), "ok");
  EXPECT_EQ(outcome(spool_->drain()), "corrupt");
}

TEST_F(SpoolTest, ATakenNameThatSeemsDamagedIsReadOnceMore) {
  ASSERT_TRUE(objects_->insert("packs/1", body_of("packs/1"), 0));
  faults_->fail_nth(2, {FaultKind::kFail, ErrorCode::kIo});  // the read after the put
  gate_.open = true;
  open();
  EXPECT_EQ(put("packs/1"), "ok");
  EXPECT_EQ(outcome(spool_->drain()), "ok");
}

TEST_F(SpoolTest, ALostReplyIsSettledForWhoeverWaits) {
  faults_->fail_nth(1, {FaultKind::kLoseReply, ErrorCode::kUnavailable});
  open();
  EXPECT_EQ(put("packs/1"), "ok");
  std::thread opener([this] {
    while (recorded_ == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    gate_.open = true;
  });
  EXPECT_EQ(put("manifests/1"), "ok");
  opener.join();
  EXPECT_TRUE(is_stored("packs/1"));
}

TEST_F(SpoolTest, CancellingEndsWhoeverWaits) {
  open();
  EXPECT_EQ(put("packs/1"), "ok");
  std::thread canceller([this] {
    while (recorded_ == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    spool_->cancel();
  });
  EXPECT_EQ(put("manifests/1"), "cancelled");
  canceller.join();
  EXPECT_EQ(spool_->recorded().size(), 1U);
}

// The nth operation of the uploads fails, in each way; then another process continues with the spool.
TEST_F(SpoolTest, WhateverStopsTheUploadsAnotherSpoolFinishesThem) {
  const std::vector<ObjectKey> keys = {"packs/1", "packs/2", "index/1", "packs/3", "index/2"};
  gate_.open = true;
  for (const FaultKind kind : {FaultKind::kFail, FaultKind::kLoseReply}) {
    bool met = true;
    for (std::uint64_t nth = 1; met; ++nth) {
      objects_ = std::make_shared<MemoryObjects>();
      local_objects_ = std::make_shared<MemoryObjects>();
      faults_ = std::make_shared<FaultPlan>(nth);
      faults_->fail_nth(nth, {kind, ErrorCode::kDenied});
      open();
      for (const ObjectKey& key : keys) ASSERT_EQ(put(key), "ok");
      KeyPut commit("manifests/1");
      store_->put(commit.put.operation);
      run_until_done(*store_, commit.put);
      met = faults_->faults() > 0;
      if (!commit.put.operation.result.ok()) {
        if (kind == FaultKind::kFail) {
          EXPECT_FALSE(objects_->find("manifests/1"));
        }
        store_.reset();
        spool_.reset();
        open();
        ASSERT_EQ(spool_->recorded(), std::vector<ObjectKey>{"manifests/1"});
        ASSERT_TRUE(spool_->drain().ok());
        const std::string again = put("manifests/1");
        EXPECT_TRUE(again == "ok" || (again == "already-exists" && kind == FaultKind::kLoseReply)) << again;
      }
      for (const ObjectKey& key : keys) EXPECT_TRUE(is_stored(key)) << key << " at " << nth;
      EXPECT_TRUE(is_stored("manifests/1")) << nth;
      EXPECT_EQ(local_objects_->list("").size(), 1U) << "only the record is left";
      store_.reset();
      spool_.reset();
    }
  }
}

TEST_F(SpoolTest, ThroughgoingObjectsNeverTouchTheSpool) {
  gate_.open = true;
  open();
  EXPECT_EQ(put("sessions/1"), "ok");
  EXPECT_TRUE(is_stored("sessions/1"));
  EXPECT_EQ(local_faults_->operations(), 1U) << "the listing when it was opened";
}

}  // namespace
}  // namespace drs
