#include "io/ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <deque>
#include <thread>

#include "io/buffer_pool.h"
#include "io/fd.h"
#include "tests/io/refused_system_call.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using test::random_bytes;

struct Backend {
  IoChoice choice;
  bool registered;
};

// One suite for every backend, with operations inside and outside registered memory.
class RingContract : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (GetParam().choice == IoChoice::kUring && !probe_uring().uring_usable) GTEST_SKIP() << probe_uring().reason;
    auto made = make_ring(GetParam().choice, kDepth);
    ASSERT_TRUE(made.ok()) << made.error().message;
    ring_ = *std::move(made);
    if (GetParam().registered) ring_->register_memory(arena_.whole());
  }

  IoOperation& add(IoKind kind, int fd, std::uint64_t offset_bytes, MutableByteView bytes) {
    IoOperation& operation = operations_.emplace_back();
    operation.kind = kind;
    operation.fd = fd;
    operation.offset_bytes = offset_bytes;
    operation.bytes = bytes;
    operation.owner = this;
    operation.done = [](IoOperation& done) { ++static_cast<RingContract*>(done.owner)->done_count_; };
    ring_->submit(operation);
    return operation;
  }

  void run_until_idle() {
    while (ring_->in_flight() > 0) {
      const auto ran = ring_->run(Wait::kForOne);
      ASSERT_TRUE(ran.ok()) << ran.error().message;
      EXPECT_GE(*ran, 1U);
    }
  }

  Fd open_file(const std::string& name) const {
    return Fd(::open(directory_.file(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }

  static constexpr std::size_t kDepth = 4;
  test::TemporaryDirectory directory_;
  BufferArena arena_ = *BufferArena::map(8 * kMiB);
  std::unique_ptr<Ring> ring_;
  std::deque<IoOperation> operations_;
  std::size_t done_count_ = 0;
};

TEST_P(RingContract, ReportsWhatItIs) {
  EXPECT_EQ(ring_->backend(), GetParam().choice == IoChoice::kUring ? IoBackend::kUring : IoBackend::kPosix);
  EXPECT_EQ(io_backend_name(ring_->backend()), GetParam().choice == IoChoice::kUring ? "uring" : "posix");
}

TEST_P(RingContract, WritesSyncsAndReadsBackManyMoreThanItsDepth) {
  const Fd file = open_file("data");
  constexpr std::size_t kCount = 32;
  constexpr std::size_t kBytes = 64 * kKiB;
  const Bytes expected = random_bytes(kCount * kBytes, 1);
  const MutableByteView staging = arena_.carve(kCount * kBytes);
  std::memcpy(staging.data(), expected.data(), expected.size());
  for (std::size_t i = 0; i < kCount; ++i)
    add(IoKind::kWrite, file.get(), i * kBytes, staging.subspan(i * kBytes, kBytes));
  EXPECT_EQ(ring_->in_flight(), kCount);
  EXPECT_EQ(done_count_, 0U);  // never from inside submit
  run_until_idle();
  EXPECT_EQ(done_count_, kCount);
  for (const IoOperation& operation : operations_) EXPECT_EQ(operation.result, static_cast<std::int64_t>(kBytes));
  EXPECT_EQ(add(IoKind::kSyncData, file.get(), 0, {}).result, 0);
  run_until_idle();

  std::memset(staging.data(), 0, staging.size());
  for (std::size_t i = 0; i < kCount; ++i)
    add(IoKind::kRead, file.get(), i * kBytes, staging.subspan(i * kBytes, kBytes));
  run_until_idle();
  EXPECT_EQ(std::memcmp(staging.data(), expected.data(), expected.size()), 0);
}

TEST_P(RingContract, WorksWithMemoryThatWasNotRegistered) {
  const Fd file = open_file("data");
  Bytes written = random_bytes(10'000, 2);
  Bytes seen(10'000);
  add(IoKind::kWrite, file.get(), 3, written);
  run_until_idle();
  add(IoKind::kRead, file.get(), 3, seen);
  run_until_idle();
  EXPECT_EQ(seen, written);
}

TEST_P(RingContract, ReportsShortCountsAndTheEndAsTheyAre) {
  const Fd file = open_file("data");
  test::write_whole_file(directory_.file("data"), random_bytes(1000, 3));
  const MutableByteView buffer = arena_.carve(4096);
  const IoOperation& partial = add(IoKind::kRead, file.get(), 600, buffer);
  run_until_idle();
  EXPECT_EQ(partial.result, 400);
  const IoOperation& after = add(IoKind::kRead, file.get(), 1000, buffer);
  run_until_idle();
  EXPECT_EQ(after.result, 0);
}

TEST_P(RingContract, FailedOperationsCompleteLikeAnyOther) {
  const IoOperation& bad = add(IoKind::kRead, -1, 0, arena_.carve(4096));
  const IoOperation& sync = add(IoKind::kSyncData, -1, 0, {});
  run_until_idle();
  EXPECT_EQ(bad.result, -EBADF);
  EXPECT_EQ(sync.result, -EBADF);
}

TEST_P(RingContract, DoneMaySubmitTheNextOperation) {
  const Fd file = open_file("data");
  struct Chain {
    Ring* ring;
    int left;
  } chain{ring_.get(), 20};
  IoOperation operation;
  operation.kind = IoKind::kWrite;
  operation.fd = file.get();
  operation.bytes = arena_.carve(4096);
  operation.owner = &chain;
  operation.done = [](IoOperation& done) {
    auto& state = *static_cast<Chain*>(done.owner);
    if (--state.left > 0) {
      done.offset_bytes += 4096;
      state.ring->submit(done);
    }
  };
  ring_->submit(operation);
  run_until_idle();
  EXPECT_EQ(chain.left, 0);
  EXPECT_EQ(std::filesystem::file_size(directory_.file("data")), 20 * 4096U);
}

TEST_P(RingContract, RunWithoutOperationsReturnsAtOnce) {
  const auto ran = ring_->run(Wait::kForOne);
  ASSERT_TRUE(ran.ok());
  EXPECT_EQ(*ran, 0U);
}

TEST_P(RingContract, RunWithoutWaitingCompletesEventually) {
  const Fd file = open_file("data");
  add(IoKind::kWrite, file.get(), 0, arena_.carve(4096));
  while (ring_->in_flight() > 0) ASSERT_TRUE(ring_->run(Wait::kNo).ok());
  EXPECT_EQ(done_count_, 1U);
}

TEST_P(RingContract, IdleRingMovesToAnotherThread) {
  const Fd file = open_file("data");
  add(IoKind::kWrite, file.get(), 0, arena_.carve(4096));
  run_until_idle();
  std::thread other([&] {
    add(IoKind::kRead, file.get(), 0, arena_.carve(4096));
    run_until_idle();
  });
  other.join();
  EXPECT_EQ(operations_.back().result, 4096);
}

TEST_P(RingContract, DestroyedWithOperationsInFlightLetsGoOfTheirBytes) {
  const Fd file = open_file("data");
  Bytes block(kMiB);
  for (std::size_t i = 0; i < 16; ++i) add(IoKind::kWrite, file.get(), i * kMiB, block);
  ASSERT_TRUE(ring_->run(Wait::kNo).ok());
  ring_.reset();
  EXPECT_LE(done_count_, 16U);
}

INSTANTIATE_TEST_SUITE_P(Backends, RingContract,
                         testing::Values(Backend{IoChoice::kUring, true}, Backend{IoChoice::kUring, false},
                                         Backend{IoChoice::kPosix, true}),
                         [](const auto& param) {
                           const std::string name = param.param.choice == IoChoice::kUring ? "Uring" : "Posix";
                           return name + (param.param.registered ? "Registered" : "Plain");
                         });

TEST(UringRing, RegistersMoreThanTheKernelTakesInOnePiece) {
  if (!probe_uring().uring_usable) GTEST_SKIP() << probe_uring().reason;
  auto arena = BufferArena::map(514 * kMiB);
  ASSERT_TRUE(arena.ok());
  auto ring = make_ring(IoChoice::kUring, 4);
  ASSERT_TRUE(ring.ok());
  if (!(*ring)->register_memory(arena->whole())) GTEST_SKIP() << "locked memory is limited here";
  const test::TemporaryDirectory directory;
  const Bytes expected = random_bytes(3 * 4096, 4);
  test::write_whole_file(directory.file("data"), expected);
  const Fd file(::open(directory.file("data").c_str(), O_RDONLY | O_CLOEXEC));
  // The last bytes of the first piece and the first of the second, in one operation.
  IoOperation read;
  read.fd = file.get();
  read.bytes = arena->whole().subspan(512 * kMiB - 4096, expected.size());
  read.done = [](IoOperation&) {};
  (*ring)->submit(read);
  ASSERT_TRUE((*ring)->run(Wait::kForOne).ok());
  ASSERT_EQ(read.result, static_cast<std::int64_t>(expected.size()));
  EXPECT_EQ(std::memcmp(read.bytes.data(), expected.data(), expected.size()), 0);
}

// The limit applies only without CAP_IPC_LOCK, so the test's thread drops that capability.
void drop_ipc_lock() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  ASSERT_EQ(::syscall(SYS_capget, &header, sets), 0);
  sets[0].effective &= ~(1U << CAP_IPC_LOCK);
  ASSERT_EQ(::syscall(SYS_capset, &header, sets), 0);
}

TEST(UringRing, LockedMemoryLimitLeavesMemoryUnregisteredAndWorking) {
  if (!probe_uring().uring_usable) GTEST_SKIP() << probe_uring().reason;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &before), 0);
  const rlimit tiny{.rlim_cur = 64 * kKiB, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_MEMLOCK, &tiny), 0);
  std::thread limited([] {
    drop_ipc_lock();
    auto arena = BufferArena::map(4 * kMiB);
    ASSERT_TRUE(arena.ok());
    auto ring = make_ring(IoChoice::kUring, 4);
    ASSERT_TRUE(ring.ok()) << ring.error().message;
    EXPECT_FALSE((*ring)->register_memory(arena->whole()));
    EXPECT_FALSE((*ring)->memory_registered());
    const test::TemporaryDirectory directory;
    test::write_whole_file(directory.file("data"), random_bytes(4096, 5));
    const Fd file(::open(directory.file("data").c_str(), O_RDONLY | O_CLOEXEC));
    IoOperation read;
    read.fd = file.get();
    read.bytes = arena->carve(8192);
    read.done = [](IoOperation&) {};
    (*ring)->submit(read);
    ASSERT_TRUE((*ring)->run(Wait::kForOne).ok());
    EXPECT_EQ(read.result, 4096);
  });
  limited.join();
  ASSERT_EQ(::setrlimit(RLIMIT_MEMLOCK, &before), 0);
}

TEST(RingProbeDeathTest, RefusedIoUringMeansPosixOrAClearError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // the probe's result is cached, so it needs a fresh process
  EXPECT_EXIT(
      {
        test::refuse_system_call(SYS_io_uring_setup);
        const auto automatic = make_ring(IoChoice::kAuto, 8);
        const auto forced = make_ring(IoChoice::kUring, 8);
        const bool as_expected = automatic.ok() && (*automatic)->backend() == IoBackend::kPosix && !forced.ok() &&
                                 forced.error().code == ErrorCode::kUsage &&
                                 probe_uring().reason.find("seccomp") != std::string::npos;
        std::exit(as_expected ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace drs
