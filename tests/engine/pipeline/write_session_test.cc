// The session of a push: outcomes of the commit, the session objects that remain, and heartbeats.
#include "engine/repository/write_session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <set>
#include <thread>

#include "engine/format/document.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "engine/pipeline/push/push.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"
#include "tests/engine/pipeline/push/buffer_source.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

// A wall clock and a steady clock that the test moves.
class TestClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ns() const override { return wall_ns_; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(steady_ns_));
  }
  void move(std::chrono::nanoseconds wall, std::chrono::nanoseconds steady) {
    wall_ns_ += wall.count();
    steady_ns_ += steady.count();
  }

 private:
  std::atomic<std::int64_t> wall_ns_{1'800'000'000'000'000'000};
  std::atomic<std::int64_t> steady_ns_{1'000'000'000'000'000};
};

class WriteSessionTest : public testing::Test {
 protected:
  void SetUp() override {
    InitOptions options;
    options.secret = {SlotKind::kRawKey, SecretBytes(32)};
    const auto plain = make_memory_store(objects_, &clock_);
    ASSERT_TRUE(Repository::init(*plain, clock_, options).ok());
    auto faulty = make_fault_store(make_memory_store(objects_, &clock_), plan_);
    auto opened = Repository::open(std::make_unique<test::HookStore>(std::move(faulty), hook_), clock_, options.secret,
                                   best_crypto_backend());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    repository_ = *std::move(opened);
    begin();
  }
  void begin(HeartbeatPace pace = {}) {
    auto session = WriteSession::begin(*repository_, repository_->store(), {.stream = "s", .host = "h"}, pace);
    ASSERT_TRUE(session.ok()) << session.error().message;
    session_ = *std::move(session);
    name_ = manifest_name(repository_->keys().stream_tag("s"), session_->id());
    object_ = encode_document(repository_->keys(), ObjectKind::kManifest, name_, Bytes(300, 7));
  }
  // Calls `act` before each operation of this name on the manifest, with the number of the call.
  void at_manifest(std::string_view operation, std::function<std::optional<Error>(int)> act) {
    *hook_ = [this, operation, act = std::move(act), count = 0](std::string_view called,
                                                                std::string_view key) mutable -> std::optional<Error> {
      if (called != operation || key != name_) return std::nullopt;
      return act(++count);
    };
  }
  std::string commit() {
    const auto committed = session_->commit(name_, object_);
    return committed.ok() ? "ok" : std::string(error_code_name(committed.error().code));
  }
  [[nodiscard]] bool stands() const {
    const auto found = objects_->find(name_);
    return found && *found->bytes == object_;
  }
  // Ends the session and returns the number of session objects that remain.
  [[nodiscard]] std::size_t left_behind() {
    session_.reset();
    return objects_->list("sessions/").size();
  }

  TestClock clock_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  std::shared_ptr<test::StoreHook> hook_ = std::make_shared<test::StoreHook>();
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<WriteSession> session_;
  std::string name_;
  Bytes object_;
};

TEST_F(WriteSessionTest, ACommitStandsAndLeavesNoSessionBehind) {
  EXPECT_EQ(objects_->list("sessions/").size(), 1U);
  EXPECT_EQ(commit(), "ok");
  EXPECT_TRUE(stands());
  EXPECT_EQ(left_behind(), 0U);
}

TEST_F(WriteSessionTest, WithoutACommitNoSessionIsLeftBehindEither) {
  EXPECT_EQ(left_behind(), 0U);
}

// Names under sessions/ prove nothing: anyone with write access can put one with any number.
TEST_F(WriteSessionTest, ALargeNumberInTheNameOfAnEarlierAttemptCostsNothing) {
  const Uuid session = session_->id();
  session_.reset();
  const std::string planted = session_name(repository_->keys().stream_tag("s"), session, kNumberInNameMax - 1);
  ASSERT_TRUE(objects_->insert(planted, Bytes(10), 0));
  const WriteSession::Identity identity{.stream = "s", .host = "h", .session = session};
  auto again = WriteSession::begin(*repository_, repository_->store(), identity, {});
  ASSERT_TRUE(again.ok()) << again.error().message;
  session_ = *std::move(again);
  EXPECT_EQ(commit(), "ok");
  EXPECT_EQ(left_behind(), 0U);
}

TEST_F(WriteSessionTest, ASessionWhoseNumbersAreUsedUpIsAConflict) {
  const Uuid session = session_->id();
  session_.reset();
  const std::string planted = session_name(repository_->keys().stream_tag("s"), session, kNumberInNameMax);
  ASSERT_TRUE(objects_->insert(planted, Bytes(10), 0));
  const WriteSession::Identity identity{.stream = "s", .host = "h", .session = session};
  const auto again = WriteSession::begin(*repository_, repository_->store(), identity, {});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
}

// A delayed DELETE of an earlier attempt's object would otherwise remove that of a later attempt, and a prune would no
// longer wait for it.
TEST_F(WriteSessionTest, AnAttemptNeverHasANameOfAnEarlierOneWhoseObjectsAreGone) {
  const WriteSession::Identity identity{.stream = "s", .host = "h", .session = session_->id()};
  session_.reset();
  std::set<std::string> names;
  for (std::size_t attempt = 1; attempt <= 8; ++attempt) {
    ASSERT_TRUE(objects_->list("sessions/").empty());
    auto begun = WriteSession::begin(*repository_, repository_->store(), identity, {});
    ASSERT_TRUE(begun.ok()) << begun.error().message;
    for (const ObjectInfo& info : objects_->list("sessions/")) names.insert(info.key);
    EXPECT_EQ(names.size(), attempt);
  }
}

TEST_F(WriteSessionTest, ManyAttemptsThatLeaveTheirObjectsDoNotUseUpTheNumbers) {
  const StreamTag tag = repository_->keys().stream_tag("s");
  const WriteSession::Identity identity{.stream = "s", .host = "h", .session = session_->id()};
  session_.reset();
  std::uint32_t before = 0;
  for (int attempt = 0; attempt < 100; ++attempt) {
    auto begun = WriteSession::begin(*repository_, repository_->store(), identity, {});
    ASSERT_TRUE(begun.ok()) << begun.error().message;
    const std::string name = objects_->list("sessions/").back().key;
    const std::uint32_t number = parse_name(name)->number;
    EXPECT_TRUE(attempt == 0 || number > before);
    begun->reset();
    // Killed, the attempt would have left it. Only the last one needs to be listed.
    if (attempt > 0) objects_->erase(session_name(tag, *identity.session, before));
    ASSERT_TRUE(objects_->insert(name, Bytes(10), 0));
    before = number;
  }
  EXPECT_LT(before, kNumberInNameMax - 1000);
}

// Two copies of one snapshot have the same session, and both may list its objects before either has put one.
TEST_F(WriteSessionTest, ANameThatAnotherCopyTookAfterTheListIsLeftToIt) {
  const Uuid session = session_->id();
  for (const bool commits : {false, true}) {
    session_.reset();
    std::string first;
    *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      if (operation != "put" || !first.empty()) return std::nullopt;
      first = key;
      objects_->insert(first, Bytes(50, 9), 0);
      return std::nullopt;
    };
    const WriteSession::Identity identity{.stream = "s", .host = "h", .session = session};
    auto begun = WriteSession::begin(*repository_, repository_->store(), identity, {});
    *hook_ = nullptr;
    ASSERT_TRUE(begun.ok()) << begun.error().message;
    session_ = *std::move(begun);
    EXPECT_EQ(objects_->list("sessions/").size(), 2U);
    if (commits) {
      EXPECT_EQ(commit(), "ok");
    }
    EXPECT_EQ(left_behind(), 1U);
    ASSERT_TRUE(objects_->find(first));
    EXPECT_EQ(*objects_->find(first)->bytes, Bytes(50, 9));
    objects_->erase(first);
  }
}

TEST_F(WriteSessionTest, NamesThatAreAlwaysTakenEndTheSession) {
  session_.reset();
  std::size_t taken = 0;
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "put" && objects_->insert(std::string(key), Bytes(50, 9), 0)) ++taken;
    return std::nullopt;
  };
  const auto begun = WriteSession::begin(*repository_, repository_->store(), {.stream = "s", .host = "h"}, {});
  ASSERT_FALSE(begun.ok());
  EXPECT_EQ(begun.error().code, ErrorCode::kBusy);
  EXPECT_GT(taken, 1U);
  EXPECT_EQ(objects_->list("sessions/").size(), taken);
}

TEST_F(WriteSessionTest, AFenceMetAtTheCommitIsAConflict) {
  const Bytes fence =
      encode_document(repository_->keys(), ObjectKind::kFence, name_, encode_fence({session_->id(), "s", 1, "prune"}));
  ASSERT_TRUE(objects_->insert(name_, fence, 0));
  EXPECT_EQ(commit(), "conflict");
  EXPECT_EQ(*objects_->find(name_)->bytes, fence);
  EXPECT_EQ(left_behind(), 0U);  // the outcome is settled: the manifest can never appear
}

TEST_F(WriteSessionTest, OtherBytesUnderTheNameAreNoCommit) {
  Bytes other = object_;
  other.back() ^= 1;
  ASSERT_TRUE(objects_->insert(name_, other, 0));
  EXPECT_EQ(commit(), "corrupt");
}

TEST_F(WriteSessionTest, ALostReplyIsSettledByReadingBack) {
  plan_->fail_nth(1, {FaultKind::kLoseReply, ErrorCode::kUnavailable});
  EXPECT_EQ(commit(), "ok");
  EXPECT_TRUE(stands());
  EXPECT_EQ(left_behind(), 0U);
}

TEST_F(WriteSessionTest, APutThatNeverArrivedIsMadeAgain) {
  plan_->fail_nth(1, {FaultKind::kFail, ErrorCode::kUnavailable});
  EXPECT_EQ(commit(), "ok");
  EXPECT_TRUE(stands());
}

TEST_F(WriteSessionTest, AManifestThatReadsBackDifferentlyIsNoSuccess) {
  plan_->fail_nth(1, {FaultKind::kTearSilently, ErrorCode::kIo});
  EXPECT_EQ(commit(), "corrupt");
  EXPECT_EQ(left_behind(), 1U);
}

TEST_F(WriteSessionTest, ARemovalMarkMetAtTheCommitIsAConflict) {
  const std::string mark = removed_name(name_);
  const Bytes body = encode_removed({name_, Digest{}, "s", 1, 1, "by a test"});
  at_manifest("get", [&](int) -> std::optional<Error> {
    objects_->insert(mark, encode_document(repository_->keys(), ObjectKind::kRemoved, mark, body), 0);
    return std::nullopt;
  });
  EXPECT_EQ(commit(), "conflict");
  EXPECT_EQ(left_behind(), 0U);
}

// Without a key, write access does not suffice to make a committed snapshot look removed.
TEST_F(WriteSessionTest, WhatOnlyHasTheNameOfARemovalMarkIsNone) {
  const std::string other = removed_name(manifest_name(StreamTag(), Uuid()));
  const Bytes body = encode_removed({manifest_name(StreamTag(), Uuid()), Digest{}, "s", 1, 1, "of another"});
  for (const Bytes& object : {Bytes(10), encode_document(repository_->keys(), ObjectKind::kRemoved, other, body)}) {
    session_.reset();
    begin();
    objects_->damage(removed_name(name_), object);
    EXPECT_EQ(commit(), "ok");
    EXPECT_EQ(left_behind(), 0U);
  }
}

TEST_F(WriteSessionTest, TheSessionStaysWhileItIsNotKnownHowTheCommitEnded) {
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kCancelled, ErrorCode::kIo}) {
    *hook_ = nullptr;
    begin();
    at_manifest("put", [&](int) { return Error(code, "no answer"); });
    EXPECT_EQ(commit(), code == ErrorCode::kCancelled ? "unsettled" : error_code_name(code));
    EXPECT_EQ(left_behind(), 1U) << error_code_name(code);
    for (const ObjectInfo& info : objects_->list("sessions/")) objects_->erase(info.key);
  }
  // The session also stays while it is unknown whether the manifest lasts.
  *hook_ = nullptr;
  begin();
  at_manifest("get", [](int) { return Error(ErrorCode::kIo, "cannot be read"); });
  EXPECT_EQ(commit(), "unsettled");
  EXPECT_EQ(left_behind(), 1U);
}

TEST_F(WriteSessionTest, ARefusedManifestLeavesNoSessionBehind) {
  for (const ErrorCode code : {ErrorCode::kNoSpace, ErrorCode::kDenied}) {
    *hook_ = nullptr;
    begin();
    at_manifest("put", [&](int) { return Error(code, "refused"); });
    EXPECT_EQ(commit(), error_code_name(code));
    EXPECT_EQ(left_behind(), 0U) << error_code_name(code);
  }
}

// If the read that follows fails, it is unknown whether the manifest exists.
TEST_F(WriteSessionTest, OnlyAReadThatWorksSaysThatNoSnapshotWasMade) {
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (key != name_ || (operation != "put" && operation != "stat")) return std::nullopt;
    return Error(operation == "put" ? ErrorCode::kIo : ErrorCode::kDenied, "fails");
  };
  EXPECT_EQ(commit(), "unsettled");
  *hook_ = nullptr;
  begin();
  at_manifest("put", [&](int) { return Error(ErrorCode::kIo, "fails"); });
  EXPECT_EQ(commit(), "io");
  // The name is taken, but no object is found.
  *hook_ = nullptr;
  begin();
  at_manifest("put", [&](int) { return Error(ErrorCode::kAlreadyExists, "it is there"); });
  EXPECT_EQ(commit(), "unsettled");
}

TEST_F(WriteSessionTest, ARefusalAfterAPutWithoutAnAnswerSettlesNothing) {
  for (const ErrorCode code : {ErrorCode::kNoSpace, ErrorCode::kDenied}) {
    *hook_ = nullptr;
    begin();
    at_manifest("put", [&](int nth) { return Error(nth == 1 ? ErrorCode::kUnavailable : code, "refused"); });
    EXPECT_EQ(commit(), "unsettled");
    EXPECT_EQ(left_behind(), 1U) << error_code_name(code);
    for (const ObjectInfo& info : objects_->list("sessions/")) objects_->erase(info.key);
  }
}

// A signal ends a request that waits for the store; requests made after it get a short time.
TEST_F(WriteSessionTest, ASignalAfterTheManifestWasStoredLeavesTheSnapshotCommitted) {
  const Error stop(ErrorCode::kCancelled, "asked to stop");
  at_manifest("get", [&](int nth) { return nth == 1 ? std::optional(stop) : std::nullopt; });
  EXPECT_EQ(commit(), "ok");
  EXPECT_EQ(left_behind(), 0U);
  *hook_ = nullptr;
  begin();
  *hook_ = [&, looked = false](std::string_view operation, std::string_view key) mutable -> std::optional<Error> {
    if (operation != "stat" || key != removed_name(name_) || std::exchange(looked, true)) return std::nullopt;
    return stop;
  };
  EXPECT_EQ(commit(), "ok");
  EXPECT_EQ(left_behind(), 0U);
}

TEST_F(WriteSessionTest, AfterASignalAStoreThatStaysSilentIsAskedOnceMoreOnly) {
  int looks = 0;
  at_manifest("get", [&](int nth) {
    looks = nth;
    return Error(ErrorCode::kCancelled, "asked to stop");
  });
  EXPECT_EQ(commit(), "unsettled");
  EXPECT_EQ(looks, 2);
  EXPECT_TRUE(stands());
  EXPECT_EQ(left_behind(), 1U);
}

TEST_F(WriteSessionTest, HeartbeatsFollowTheSteadyClock) {
  begin({.every = std::chrono::hours(1), .look_every = std::chrono::milliseconds(1)});
  const std::string second = session_name(repository_->keys().stream_tag("s"), session_->id(), 1);
  clock_.move(std::chrono::hours(30), std::chrono::minutes(59));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(objects_->find(second)) << "the wall clock was set forward";
  clock_.move(std::chrono::hours(-48), std::chrono::minutes(2));
  for (int tries = 0; tries < 2000 && !objects_->find(second); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(objects_->find(second)) << "the wall clock was set back";
}

TEST_F(WriteSessionTest, AHeartbeatThatFailsEndsThePush) {
  // The source is endless: only the heartbeat can end the push.
  class EndlessSource final : public Source {
   public:
    void start(MutableByteView buffer) override { started_.push_back(buffer); }
    Result<std::size_t> finish() override {
      const MutableByteView buffer = started_.front();
      started_.pop_front();
      if (cancelled_ || ++reads_ > 4000) return Error(ErrorCode::kCancelled, "nothing ended the push");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::fill(buffer.begin(), buffer.end(), Byte{1});
      return buffer.size();
    }
    [[nodiscard]] std::size_t read_ahead_max() const override { return 2; }
    Result<ProducerProof> conclude() override { return ProducerProof{}; }
    [[nodiscard]] std::optional<std::uint64_t> size_hint_bytes() const override { return std::nullopt; }
    void cancel() override { cancelled_ = true; }
    [[nodiscard]] std::string name() const override { return "endless"; }

   private:
    std::deque<MutableByteView> started_;
    std::atomic<bool> cancelled_{false};
    int reads_ = 0;
  };
  bool throws = false;
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "put" || !key.starts_with("sessions/") || key.ends_with("00000000")) return std::nullopt;
    if (throws) throw std::bad_alloc();
    return Error(ErrorCode::kDenied, "no heartbeat here");
  };
  PushOptions options;
  options.stream = "s";
  options.heartbeats = {.every = std::chrono::nanoseconds(0), .look_every = std::chrono::milliseconds(1)};
  const auto memory = plan_push({.memory_bytes = kMemoryBytesMin, .threads = 1}, options.compression);
  ASSERT_TRUE(memory.ok());
  for (const ErrorCode code : {ErrorCode::kDenied, ErrorCode::kBusy}) {
    throws = code == ErrorCode::kBusy;
    EndlessSource source;
    auto arena = BufferArena::map(memory->arena_bytes);
    ASSERT_TRUE(arena.ok());
    ProgressCounters progress;
    CancelToken cancel;
    const auto report = push(*repository_, source, options, {*memory, *arena}, {progress, cancel});
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, code) << report.error().message;
    EXPECT_TRUE(objects_->list("manifests/").empty());
  }
}

TEST_F(WriteSessionTest, StoresNoManifestThatNoReaderTakes) {
  Manifest manifest;
  manifest.stream = "s";
  manifest.session = session_->id();
  manifest.sequence = 0;
  manifest.set_stream({});
  const auto refused = session_->commit(manifest);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInternal);
  EXPECT_FALSE(objects_->find(name_));
  manifest.sequence = 1;
  EXPECT_TRUE(session_->commit(manifest).ok());
}

}  // namespace
}  // namespace drs
