// The session of a push: how its commit ends, what stays of it, and its heartbeats.
#include "engine/pipeline/push_session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <thread>

#include "engine/format/document.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"
#include "tests/engine/pipeline/buffer_source.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

// Two clocks that the test moves.
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

class PushSessionTest : public testing::Test {
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
    auto session = PushSession::begin(*repository_, repository_->store(), {.stream = "s", .host = "h"}, pace);
    ASSERT_TRUE(session.ok()) << session.error().message;
    session_ = *std::move(session);
    name_ = manifest_name(repository_->keys().stream_tag("s"), session_->id());
    object_ = encode_document(repository_->keys(), ObjectKind::kManifest, name_, Bytes(300, 7));
  }
  // Before the operation of this name on the manifest, each time, or the nth.
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
  // The session objects that are left once the session is over.
  [[nodiscard]] std::size_t left_behind() {
    session_.reset();
    return objects_->list("sessions/").size();
  }

  TestClock clock_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  std::shared_ptr<test::StoreHook> hook_ = std::make_shared<test::StoreHook>();
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<PushSession> session_;
  std::string name_;
  Bytes object_;
};

TEST_F(PushSessionTest, ACommitStandsAndLeavesNoSessionBehind) {
  EXPECT_EQ(objects_->list("sessions/").size(), 1U);
  EXPECT_EQ(commit(), "ok");
  EXPECT_TRUE(stands());
  EXPECT_EQ(left_behind(), 0U);
}

TEST_F(PushSessionTest, WithoutACommitNoSessionIsLeftBehindEither) {
  EXPECT_EQ(left_behind(), 0U);
}

// Names under sessions/ prove nothing: who can write there can leave any number.
TEST_F(PushSessionTest, ALargeNumberInTheNameOfAnEarlierAttemptCostsNothing) {
  const Uuid session = session_->id();
  session_.reset();
  const std::string planted = session_name(repository_->keys().stream_tag("s"), session, kNumberInNameMax - 1);
  ASSERT_TRUE(objects_->insert(planted, Bytes(10), 0));
  const PushSession::Identity identity{.stream = "s", .host = "h", .session = session};
  auto again = PushSession::begin(*repository_, repository_->store(), identity, {});
  ASSERT_TRUE(again.ok()) << again.error().message;
  session_ = *std::move(again);
  EXPECT_EQ(commit(), "ok");
  EXPECT_EQ(left_behind(), 0U);
}

TEST_F(PushSessionTest, ASessionWhoseNumbersAreUsedUpIsAConflict) {
  const Uuid session = session_->id();
  session_.reset();
  const std::string planted = session_name(repository_->keys().stream_tag("s"), session, kNumberInNameMax);
  ASSERT_TRUE(objects_->insert(planted, Bytes(10), 0));
  const PushSession::Identity identity{.stream = "s", .host = "h", .session = session};
  const auto again = PushSession::begin(*repository_, repository_->store(), identity, {});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
}

// Two copies of one snapshot have one session, and may list what is there before either has put anything.
TEST_F(PushSessionTest, ANameThatAnotherCopyTookAfterTheListIsLeftToIt) {
  const Uuid session = session_->id();
  const std::string first = session_name(repository_->keys().stream_tag("s"), session, 0);
  for (const bool commits : {false, true}) {
    session_.reset();
    *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      if (operation == "put" && key == first) objects_->insert(first, Bytes(50, 9), 0);
      return std::nullopt;
    };
    const PushSession::Identity identity{.stream = "s", .host = "h", .session = session};
    auto begun = PushSession::begin(*repository_, repository_->store(), identity, {});
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

TEST_F(PushSessionTest, NamesThatAreAlwaysTakenEndTheSession) {
  session_.reset();
  std::size_t taken = 0;
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "put" && objects_->insert(std::string(key), Bytes(50, 9), 0)) ++taken;
    return std::nullopt;
  };
  const auto begun = PushSession::begin(*repository_, repository_->store(), {.stream = "s", .host = "h"}, {});
  ASSERT_FALSE(begun.ok());
  EXPECT_EQ(begun.error().code, ErrorCode::kBusy);
  EXPECT_GT(taken, 1U);
  EXPECT_EQ(objects_->list("sessions/").size(), taken);
}

TEST_F(PushSessionTest, AFenceMetAtTheCommitIsAConflict) {
  const Bytes fence =
      encode_document(repository_->keys(), ObjectKind::kFence, name_, encode_fence({session_->id(), "s", 1, "prune"}));
  ASSERT_TRUE(objects_->insert(name_, fence, 0));
  EXPECT_EQ(commit(), "conflict");
  EXPECT_EQ(*objects_->find(name_)->bytes, fence);
  EXPECT_EQ(left_behind(), 0U);  // it is settled: the manifest can never appear
}

TEST_F(PushSessionTest, OtherBytesUnderTheNameAreNoCommit) {
  Bytes other = object_;
  other.back() ^= 1;
  ASSERT_TRUE(objects_->insert(name_, other, 0));
  EXPECT_EQ(commit(), "corrupt");
}

TEST_F(PushSessionTest, ALostReplyIsSettledByReadingBack) {
  plan_->fail_nth(1, {FaultKind::kLoseReply, ErrorCode::kUnavailable});
  EXPECT_EQ(commit(), "ok");
  EXPECT_TRUE(stands());
  EXPECT_EQ(left_behind(), 0U);
}

TEST_F(PushSessionTest, APutThatNeverArrivedIsMadeAgain) {
  plan_->fail_nth(1, {FaultKind::kFail, ErrorCode::kUnavailable});
  EXPECT_EQ(commit(), "ok");
  EXPECT_TRUE(stands());
}

TEST_F(PushSessionTest, AManifestThatReadsBackDifferentlyIsNoSuccess) {
  plan_->fail_nth(1, {FaultKind::kTearSilently, ErrorCode::kIo});
  EXPECT_EQ(commit(), "corrupt");
  EXPECT_EQ(left_behind(), 1U);
}

TEST_F(PushSessionTest, ARemovalMarkMetAtTheCommitIsAConflict) {
  const std::string mark = removed_name(name_);
  const Bytes body = encode_removed({name_, Digest{}, "s", 1, 1, "by a test"});
  at_manifest("get", [&](int) -> std::optional<Error> {
    objects_->insert(mark, encode_document(repository_->keys(), ObjectKind::kRemoved, mark, body), 0);
    return std::nullopt;
  });
  EXPECT_EQ(commit(), "conflict");
  EXPECT_EQ(left_behind(), 0U);
}

// Whoever can write, and has no key, does not make a snapshot that stands look as if it did not.
TEST_F(PushSessionTest, WhatOnlyHasTheNameOfARemovalMarkIsNone) {
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

TEST_F(PushSessionTest, TheSessionStaysWhileItIsNotKnownHowTheCommitEnded) {
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kCancelled, ErrorCode::kIo}) {
    *hook_ = nullptr;
    begin();
    at_manifest("put", [&](int) { return Error(code, "no answer"); });
    EXPECT_EQ(commit(), code == ErrorCode::kCancelled ? "unsettled" : error_code_name(code));
    EXPECT_EQ(left_behind(), 1U) << error_code_name(code);
    for (const ObjectInfo& info : objects_->list("sessions/")) objects_->erase(info.key);
  }
  // Nor while it is not known whether the manifest lasts.
  *hook_ = nullptr;
  begin();
  at_manifest("get", [](int) { return Error(ErrorCode::kIo, "cannot be read"); });
  EXPECT_EQ(commit(), "unsettled");
  EXPECT_EQ(left_behind(), 1U);
}

TEST_F(PushSessionTest, ARefusedManifestLeavesNoSessionBehind) {
  for (const ErrorCode code : {ErrorCode::kNoSpace, ErrorCode::kDenied}) {
    *hook_ = nullptr;
    begin();
    at_manifest("put", [&](int) { return Error(code, "refused"); });
    EXPECT_EQ(commit(), error_code_name(code));
    EXPECT_EQ(left_behind(), 0U) << error_code_name(code);
  }
}

// The manifest is not there to a read that works, or whether it is there is not known.
TEST_F(PushSessionTest, OnlyAReadThatWorksSaysThatNoSnapshotWasMade) {
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (key != name_ || (operation != "put" && operation != "stat")) return std::nullopt;
    return Error(operation == "put" ? ErrorCode::kIo : ErrorCode::kDenied, "fails");
  };
  EXPECT_EQ(commit(), "unsettled");
  *hook_ = nullptr;
  begin();
  at_manifest("put", [&](int) { return Error(ErrorCode::kIo, "fails"); });
  EXPECT_EQ(commit(), "io");
  // A name that is taken and at which nothing is found.
  *hook_ = nullptr;
  begin();
  at_manifest("put", [&](int) { return Error(ErrorCode::kAlreadyExists, "it is there"); });
  EXPECT_EQ(commit(), "unsettled");
}

TEST_F(PushSessionTest, ARefusalAfterAPutWithoutAnAnswerSettlesNothing) {
  for (const ErrorCode code : {ErrorCode::kNoSpace, ErrorCode::kDenied}) {
    *hook_ = nullptr;
    begin();
    at_manifest("put", [&](int nth) { return Error(nth == 1 ? ErrorCode::kUnavailable : code, "refused"); });
    EXPECT_EQ(commit(), "unsettled");
    EXPECT_EQ(left_behind(), 1U) << error_code_name(code);
    for (const ObjectInfo& info : objects_->list("sessions/")) objects_->erase(info.key);
  }
}

// A signal ends what is waiting for the store; what is asked after it gets a short time.
TEST_F(PushSessionTest, ASignalAfterTheManifestWasStoredLeavesTheSnapshotCommitted) {
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

TEST_F(PushSessionTest, AfterASignalAStoreThatStaysSilentIsAskedOnceMoreOnly) {
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

TEST_F(PushSessionTest, HeartbeatsFollowTheSteadyClock) {
  begin({.every = std::chrono::hours(1), .look_every = std::chrono::milliseconds(1)});
  const std::string second = session_name(repository_->keys().stream_tag("s"), session_->id(), 1);
  clock_.move(std::chrono::hours(30), std::chrono::minutes(59));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(objects_->find(second)) << "the wall clock was set on";
  clock_.move(std::chrono::hours(-48), std::chrono::minutes(2));
  for (int tries = 0; tries < 2000 && !objects_->find(second); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(objects_->find(second)) << "the wall clock was set back";
}

TEST_F(PushSessionTest, AHeartbeatThatFailsEndsThePush) {
  // Endless: only the heartbeat can end it.
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
  const auto memory = plan_push(kMemoryBytesMin, 1, options.compression);
  ASSERT_TRUE(memory.ok());
  for (const ErrorCode code : {ErrorCode::kDenied, ErrorCode::kBusy}) {
    throws = code == ErrorCode::kBusy;
    EndlessSource source;
    auto arena = BufferArena::map(memory->arena_bytes);
    ASSERT_TRUE(arena.ok());
    ProgressCounters progress;
    CancelToken cancel;
    const auto report = push(*repository_, source, options, *memory, *arena, progress, cancel);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, code) << report.error().message;
    EXPECT_TRUE(objects_->list("manifests/").empty());
  }
}

TEST_F(PushSessionTest, StoresNoManifestThatNoReaderTakes) {
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
