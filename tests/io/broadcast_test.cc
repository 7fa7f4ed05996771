#include "io/broadcast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <new>

#include "io/buffer_pool.h"
#include "io/child_source.h"
#include "io/file_source.h"
#include "io/interrupt.h"
#include "tests/io/read_source.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using test::random_bytes;
using test::read_to_end;
using testing::HasSubstr;

constexpr std::size_t kSlotBytes = 4096;
constexpr std::size_t kSlots = 4;

// Returns `data`; then ends, fails, throws or blocks.
class ScriptedSource final : public Source {
 public:
  enum class Then { kEnd, kFail, kThrow, kBlock };
  explicit ScriptedSource(Bytes data, Then then = Then::kEnd) : data_(std::move(data)), then_(then) {}

  void start(MutableByteView buffer) override {
    started_.push_back(buffer);
    EXPECT_LE(started_.size(), read_ahead_max());
  }
  Result<std::size_t> finish() override {
    const MutableByteView buffer = started_.front();
    started_.pop_front();
    const std::size_t offset = given_bytes_;
    const std::size_t count = std::min(buffer.size(), data_.size() - offset);
    if (count < buffer.size() && then_ == Then::kBlock) static_cast<void>(wait_for(interrupt_, {}));
    if (interrupt_.is_raised()) return Error(ErrorCode::kCancelled, "cancelled");
    if (count < buffer.size() && then_ == Then::kFail) return Error(ErrorCode::kSource, "the tape is torn");
    if (count < buffer.size() && then_ == Then::kThrow) throw std::bad_alloc();
    std::copy_n(data_.begin() + static_cast<std::ptrdiff_t>(offset), count, buffer.begin());
    given_bytes_ += count;
    return count;
  }
  [[nodiscard]] std::size_t read_ahead_max() const override { return 2; }
  Result<ProducerProof> conclude() override {
    ++conclusions_;
    if (!conclusion_.ok()) return conclusion_.error();
    ProducerProof proof;
    proof.kind = ProducerProof::Kind::kExitStatus;
    proof.command = "producer";
    return proof;
  }
  [[nodiscard]] std::optional<std::uint64_t> size_hint_bytes() const override { return data_.size(); }
  void cancel() override { interrupt_.raise(); }
  [[nodiscard]] std::string name() const override { return "script"; }

  void fail_conclusion() { conclusion_ = Error(ErrorCode::kSource, "exited with status 3"); }
  [[nodiscard]] std::size_t given_bytes() const { return given_bytes_; }
  [[nodiscard]] int conclusions() const { return conclusions_; }
  [[nodiscard]] bool cancelled() const { return interrupt_.is_raised(); }

 private:
  const Bytes data_;
  const Then then_;
  const Interrupt interrupt_ = *Interrupt::create();
  std::deque<MutableByteView> started_;
  std::atomic<std::size_t> given_bytes_ = 0;
  std::atomic<int> conclusions_ = 0;
  Result<void> conclusion_;
};

class BroadcastTest : public testing::Test {
 protected:
  std::unique_ptr<Broadcast> broadcast(Source& source, std::size_t branches) {
    auto started = Broadcast::start(source, {.ring = ring_, .slot_bytes = kSlotBytes, .branches = branches});
    EXPECT_TRUE(started.ok());
    return *std::move(started);
  }
  // Reads all of a branch with buffers of `buffer_bytes`.
  static Result<Bytes> read(Source& branch, std::size_t buffer_bytes) {
    Bytes buffer(buffer_bytes);
    return read_to_end(branch, buffer, buffer_bytes);
  }
  static Result<std::size_t> read_once(Source& branch, MutableByteView buffer) {
    branch.start(buffer);
    return branch.finish();
  }
  template <typename Condition>
  static void wait_until(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  BufferArena arena_ = *BufferArena::map(kSlots * kSlotBytes);
  const MutableByteView ring_ = arena_.carve(kSlots * kSlotBytes);
};

TEST_F(BroadcastTest, GivesTheWholeStreamAndTheProofToEveryBranch) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kSlotBytes, 3 * kSlotBytes, std::size_t{1'000'003}}) {
    const Bytes expected = random_bytes(size, 1);
    ScriptedSource source(expected);
    const auto shared = broadcast(source, 3);
    // Larger and smaller than a slot, and not a divisor of it.
    const std::array<std::size_t, 3> buffer_bytes = {100, 3 * kSlotBytes, 5000};
    std::vector<std::future<void>> readers;
    for (std::size_t i = 0; i < buffer_bytes.size(); ++i) {
      readers.push_back(std::async(std::launch::async, [&, i] {
        Source& branch = shared->branch(i);
        EXPECT_EQ(branch.size_hint_bytes(), size);
        EXPECT_EQ(branch.name(), "script");
        const auto seen = read(branch, buffer_bytes[i]);
        ASSERT_TRUE(seen.ok()) << seen.error().message;
        EXPECT_EQ(*seen, expected);
        const auto proof = branch.conclude();
        ASSERT_TRUE(proof.ok());
        EXPECT_EQ(proof->command, "producer");
      }));
    }
    readers.clear();
    EXPECT_EQ(source.conclusions(), 1);
    EXPECT_FALSE(source.cancelled());
  }
}

TEST_F(BroadcastTest, ReadsNoFurtherThanTheRingAheadOfTheSlowest) {
  const Bytes expected = random_bytes(20 * kSlotBytes, 2);
  ScriptedSource source(expected);
  const auto shared = broadcast(source, 2);
  Bytes first(kSlotBytes);
  Bytes second(kSlotBytes);
  for (std::size_t slot = 0; slot < 10; ++slot) {
    ASSERT_EQ(*read_once(shared->branch(0), first), kSlotBytes);
    ASSERT_EQ(*read_once(shared->branch(1), second), kSlotBytes);
    EXPECT_EQ(first, second);
    wait_until([&] { return source.given_bytes() == std::min((slot + 1 + kSlots) * kSlotBytes, expected.size()); });
  }
  // One branch reads as far as it can; the other stops and holds its part of the ring.
  for (std::size_t slot = 10; slot < 10 + kSlots; ++slot) ASSERT_EQ(*read_once(shared->branch(0), first), kSlotBytes);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(source.given_bytes(), (10 + kSlots) * kSlotBytes);
  ASSERT_EQ(*read_once(shared->branch(1), second), kSlotBytes);
  EXPECT_TRUE(std::equal(second.begin(), second.end(), expected.begin() + 10 * kSlotBytes));
}

TEST_F(BroadcastTest, ABranchThatIsOutHoldsNobodyBack) {
  const Bytes expected = random_bytes(50 * kSlotBytes + 7, 3);
  ScriptedSource source(expected);
  const auto shared = broadcast(source, 3);
  Bytes buffer(kSlotBytes);
  ASSERT_EQ(*read_once(shared->branch(1), buffer), kSlotBytes);
  shared->branch(1).cancel();
  shared->branch(2).cancel();
  const auto seen = read(shared->branch(0), kSlotBytes);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(*seen, expected);
  EXPECT_TRUE(shared->branch(0).conclude().ok());
  EXPECT_EQ(read_once(shared->branch(1), buffer).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(shared->branch(1).conclude().error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(source.cancelled());
}

TEST_F(BroadcastTest, ABranchThatIsCancelledWhileItReadsReturnsSoon) {
  ScriptedSource source(random_bytes(3 * kSlotBytes, 4), ScriptedSource::Then::kBlock);
  const auto shared = broadcast(source, 2);
  auto reader = std::async(std::launch::async, [&] { return read(shared->branch(0), 10 * kSlotBytes); });
  shared->branch(0).cancel();
  EXPECT_EQ(reader.get().error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(source.cancelled());
  shared->branch(1).cancel();
  EXPECT_TRUE(source.cancelled());
}

TEST_F(BroadcastTest, TheSourceIsCancelledOnceEveryBranchIsOut) {
  ScriptedSource source(random_bytes(100 * kSlotBytes, 5));
  const auto shared = broadcast(source, 2);
  // The source waits for room in the ring.
  wait_until([&] { return source.given_bytes() == kSlots * kSlotBytes; });
  shared->branch(0).cancel();
  shared->branch(0).cancel();
  EXPECT_FALSE(source.cancelled());
  shared->branch(1).cancel();
  EXPECT_TRUE(source.cancelled());
  EXPECT_EQ(source.conclusions(), 0);
}

TEST_F(BroadcastTest, AnErrorOfTheSourceReachesEveryBranch) {
  ScriptedSource source(random_bytes(10 * kSlotBytes, 6), ScriptedSource::Then::kFail);
  const auto shared = broadcast(source, 2);
  auto other = std::async(std::launch::async, [&] { return read(shared->branch(1), 777); });
  for (const auto& seen : {read(shared->branch(0), kSlotBytes), other.get()}) {
    ASSERT_FALSE(seen.ok());
    EXPECT_EQ(seen.error().code, ErrorCode::kSource);
    EXPECT_THAT(seen.error().message, HasSubstr("the tape is torn"));
  }
  EXPECT_EQ(shared->branch(0).conclude().error().code, ErrorCode::kSource);
  EXPECT_EQ(source.conclusions(), 0);
}

TEST_F(BroadcastTest, WantOfMemoryIsToldToEveryBranch) {
  ScriptedSource source(random_bytes(10 * kSlotBytes, 6), ScriptedSource::Then::kThrow);
  const auto shared = broadcast(source, 2);
  auto other = std::async(std::launch::async, [&] { return read(shared->branch(1), 777); });
  for (const auto& seen : {read(shared->branch(0), kSlotBytes), other.get()}) {
    ASSERT_FALSE(seen.ok());
    EXPECT_EQ(seen.error().code, ErrorCode::kBusy);
  }
}

TEST_F(BroadcastTest, AProducerThatFailedAtItsEndIsToldToEveryBranch) {
  const Bytes expected = random_bytes(2 * kSlotBytes + 1, 7);
  ScriptedSource source(expected);
  source.fail_conclusion();
  const auto shared = broadcast(source, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    static_cast<void>(read(shared->branch(i), 1000));
    const auto proof = shared->branch(i).conclude();
    ASSERT_FALSE(proof.ok());
    EXPECT_THAT(proof.error().message, HasSubstr("status 3"));
  }
}

TEST_F(BroadcastTest, MayEndBeforeAnybodyHasRead) {
  ScriptedSource endless(random_bytes(100 * kSlotBytes, 8), ScriptedSource::Then::kBlock);
  static_cast<void>(broadcast(endless, 2));
  EXPECT_TRUE(endless.cancelled());
}

TEST_F(BroadcastTest, ReadsAFileAndACommand) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("data");
  const Bytes expected = random_bytes(300'001, 9);
  test::write_whole_file(path, expected);
  auto file = make_file_source(path, IoChoice::kAuto, ring_);
  ASSERT_TRUE(file.ok());
  ChildOptions cat;
  cat.argv = {"cat", path};
  auto child = make_child_source(cat);
  ASSERT_TRUE(child.ok());
  for (Source* const source : {file->get(), child->get()}) {
    BufferArena arena = *BufferArena::map(6 * kSlotBytes);
    auto shared = Broadcast::start(*source, {.ring = arena.whole(), .slot_bytes = kSlotBytes, .branches = 2});
    ASSERT_TRUE(shared.ok());
    auto other = std::async(std::launch::async, [&] { return read((*shared)->branch(1), 10'000); });
    EXPECT_EQ(*read((*shared)->branch(0), 5000), expected);
    EXPECT_EQ(*other.get(), expected);
    EXPECT_NE((*shared)->branch(0).conclude()->kind, ProducerProof::Kind::kUnseen);
    EXPECT_NE((*shared)->branch(1).conclude()->kind, ProducerProof::Kind::kUnseen);
  }
}

// Branches leave at random moments: nothing hangs, and the remaining ones read every byte. Mainly for ThreadSanitizer.
TEST_F(BroadcastTest, WhoStaysGetsEveryByteWhileOthersLeaveAtAnyMoment) {
  const Bytes expected = random_bytes(30 * kSlotBytes + 1, 10);
  for (std::size_t round = 0; round < 40; ++round) {
    ScriptedSource source(expected);
    const auto shared = broadcast(source, 3);
    std::vector<std::future<void>> threads;
    for (std::size_t i = 1; i < 3; ++i) {
      threads.push_back(std::async(std::launch::async, [&, i] {
        const auto seen = read(shared->branch(i), 3000);
        if (seen.ok()) {
          EXPECT_EQ(*seen, expected);
        }
      }));
      threads.push_back(std::async(std::launch::async, [&, i] {
        std::this_thread::sleep_for(std::chrono::microseconds(20 * round * i));
        shared->branch(i).cancel();
      }));
    }
    const auto seen = read(shared->branch(0), 5000);
    ASSERT_TRUE(seen.ok());
    EXPECT_EQ(*seen, expected);
    EXPECT_TRUE(shared->branch(0).conclude().ok());
  }
}

}  // namespace
}  // namespace drs
