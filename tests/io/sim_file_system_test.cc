#include "io/sim_file_system.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "io/buffer_pool.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using test::random_bytes;

// Runs one operation to its end, resuming short transfers.
std::int64_t perform(Ring& ring, IoKind kind, int fd, std::uint64_t offset_bytes, MutableByteView bytes) {
  std::int64_t total = 0;
  for (;;) {
    IoOperation operation;
    operation.kind = kind;
    operation.fd = fd;
    operation.offset_bytes = offset_bytes;
    operation.bytes = bytes;
    operation.done = [](IoOperation&) {};
    ring.submit(operation);
    while (ring.in_flight() > 0) EXPECT_TRUE(ring.run(Wait::kForOne).ok());
    if (operation.result < 0) return operation.result;
    total += operation.result;
    const auto moved_bytes = static_cast<std::size_t>(operation.result);
    if (moved_bytes == 0 || moved_bytes == bytes.size()) return total;
    offset_bytes += moved_bytes;
    bytes = bytes.subspan(moved_bytes);
  }
}

Result<void> checked(std::int64_t result) {
  if (result < 0) return error_from_errno(static_cast<int>(-result), "ring");
  return {};
}

// Stores an object like a local store: write, sync, link, sync the directory.
Result<void> store(SimFileSystem& disk, const std::string& name, const Bytes& content) {
  DRS_ASSIGN_OR_RETURN(auto ring, disk.make_ring(4));
  DRS_ASSIGN_OR_RETURN(const OpenedFile file, disk.open("tmp", {.write = true, .create_exclusive = true}));
  Bytes copy = content;
  DRS_RETURN_IF_ERROR(checked(perform(*ring, IoKind::kWrite, file.fd, 0, copy)));
  DRS_RETURN_IF_ERROR(checked(perform(*ring, IoKind::kSyncData, file.fd, 0, {})));
  DRS_RETURN_IF_ERROR(disk.close(file.fd));
  DRS_RETURN_IF_ERROR(disk.link("tmp", name));
  DRS_RETURN_IF_ERROR(disk.sync_directory(""));
  return disk.remove("tmp");
}

// Returns the contents of a file, or nullopt if it does not exist.
std::optional<Bytes> load(SimFileSystem& disk, const std::string& name) {
  const auto info = disk.stat(name);
  if (!info.ok()) return std::nullopt;
  auto ring = *disk.make_ring(4);
  const auto file = disk.open(name, {});
  EXPECT_TRUE(file.ok());
  Bytes content(info->size_bytes);
  EXPECT_EQ(perform(*ring, IoKind::kRead, file->fd, 0, content), static_cast<std::int64_t>(content.size()));
  EXPECT_TRUE(disk.close(file->fd).ok());
  return content;
}

TEST(SimFileSystem, KeepsFilesLikeARealOne) {
  SimFileSystem disk(1);
  const Bytes content = random_bytes(100'000, 1);
  ASSERT_TRUE(store(disk, "object", content).ok());
  EXPECT_EQ(load(disk, "object"), content);
  EXPECT_EQ(disk.stat("tmp").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(disk.open("object", {.write = true, .create_exclusive = true}).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(disk.open("../object", {}).error().code, ErrorCode::kUsage);
  ASSERT_TRUE(disk.make_directory("sub").ok());
  EXPECT_EQ(disk.link("object", "sub").error().code, ErrorCode::kAlreadyExists);
  ASSERT_TRUE(disk.rename_no_replace("object", "sub/object").ok());
  EXPECT_EQ(load(disk, "sub/object"), content);
  EXPECT_FALSE(disk.remove("sub").ok());
  std::set<std::string> names;
  ASSERT_TRUE(disk.list("",
                        [&](const FileInfo& info) -> Result<void> {
                          names.insert(info.name);
                          return {};
                        })
                  .ok());
  EXPECT_EQ(names, std::set<std::string>{"sub"});
}

TEST(SimFileSystem, SyncedDataUnderASyncedNameSurvivesEveryPowerCut) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimFileSystem disk(seed);
    const Bytes content = random_bytes(5000, static_cast<unsigned>(seed));
    ASSERT_TRUE(store(disk, "object", content).ok());
    disk.power_cut();
    EXPECT_EQ(load(disk, "object"), content) << seed;
    disk.power_cut();
    EXPECT_EQ(load(disk, "object"), content) << seed;
  }
}

TEST(SimFileSystem, WhatWasNotSyncedSurvivesWholeTornOrNotAtAll) {
  std::size_t whole = 0;
  std::size_t torn = 0;
  std::size_t lost = 0;
  std::size_t nameless = 0;
  const Bytes content = random_bytes(8192, 1);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimFileSystem disk(seed);
    auto ring = *disk.make_ring(4);
    const auto file = disk.open("a", {.write = true, .create_exclusive = true});
    ASSERT_TRUE(file.ok());
    Bytes copy = content;
    ASSERT_EQ(perform(*ring, IoKind::kWrite, file->fd, 0, copy), 8192);
    disk.power_cut();
    EXPECT_EQ(perform(*ring, IoKind::kWrite, file->fd, 0, copy), -EBADF);
    const auto left = load(disk, "a");
    if (!left.has_value()) {
      ++nameless;
    } else if (left->empty()) {
      ++lost;
    } else {
      ++(*left == content ? whole : torn);
    }
  }
  EXPECT_GT(whole, 0U);
  EXPECT_GT(torn, 0U);
  EXPECT_GT(lost, 0U);
  EXPECT_GT(nameless, 0U);
}

TEST(SimFileSystem, ADirectoryLostTakesItsFilesAlong) {
  std::size_t kept = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimFileSystem disk(seed);
    ASSERT_TRUE(disk.make_directory("sub").ok());
    ASSERT_TRUE(disk.open("sub/a", {.write = true, .create_exclusive = true}).ok());
    ASSERT_TRUE(disk.sync_directory("sub").ok());
    disk.power_cut();
    EXPECT_EQ(disk.stat("sub").ok(), disk.stat("sub/a").ok());
    kept += disk.stat("sub").ok() ? 1U : 0U;
  }
  EXPECT_GT(kept, 0U);
  EXPECT_LT(kept, 50U);
}

TEST(SimFileSystem, AFailedSyncLosesTheDataForGood) {
  SimFileSystem disk(3);
  disk.set_short_transfers(false);
  auto ring = *disk.make_ring(1);
  const auto file = disk.open("a", {.write = true, .create_exclusive = true});
  ASSERT_TRUE(disk.sync_directory("").ok());
  Bytes content = random_bytes(1000, 1);
  ASSERT_EQ(perform(*ring, IoKind::kWrite, file->fd, 0, content), 1000);
  disk.fail_nth(disk.operations_seen() + 1, EIO);
  EXPECT_EQ(perform(*ring, IoKind::kSyncData, file->fd, 0, {}), -EIO);
  EXPECT_EQ(perform(*ring, IoKind::kSyncData, file->fd, 0, {}), 0);  // like a kernel: success although data was lost
  disk.power_cut();
  EXPECT_EQ(load(disk, "a"), Bytes());
}

TEST(SimFileSystem, EveryOperationCanFailAndTheObjectIsThenWholeOrAbsent) {
  const Bytes content = random_bytes(3000, 1);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimFileSystem rehearsal(seed);
    ASSERT_TRUE(store(rehearsal, "object", content).ok());
    const std::uint64_t count = rehearsal.operations_seen();
    ASSERT_GE(count, 7U);
    for (std::uint64_t nth = 1; nth <= count; ++nth) {
      SimFileSystem disk(seed);
      disk.fail_nth(nth, ENOSPC);
      const auto stored = store(disk, "object", content);
      ASSERT_FALSE(stored.ok()) << nth;
      EXPECT_EQ(stored.error().code, ErrorCode::kNoSpace);
      disk.fail_nth(0, 0);
      disk.power_cut();
      const auto left = load(disk, "object");
      if (left.has_value()) {
        EXPECT_EQ(*left, content) << nth;
      }
      // The last operation only cleans up.
      if (nth == count) {
        EXPECT_TRUE(left.has_value());
      }
    }
  }
}

TEST(SimFileSystem, AMachineThatStopsAtAnyOperationLeavesTheObjectWholeOrAbsent) {
  const Bytes content = random_bytes(3000, 1);
  SimFileSystem rehearsal(7);
  ASSERT_TRUE(store(rehearsal, "object", content).ok());
  for (std::uint64_t nth = 1; nth <= rehearsal.operations_seen(); ++nth) {
    SimFileSystem disk(7);
    disk.halt_at(nth);
    EXPECT_FALSE(store(disk, "object", content).ok());
    EXPECT_FALSE(disk.stat("object").ok());  // every call fails while the machine is down
    disk.power_cut();
    const auto left = load(disk, "object");
    if (left.has_value()) {
      EXPECT_EQ(*left, content) << nth;
    }
  }
}

TEST(SimFileSystem, TheSameSeedGivesTheSameDisk) {
  const auto run = [] {
    SimFileSystem disk(42);
    auto ring = *disk.make_ring(4);
    const auto file = disk.open("a", {.write = true, .create_exclusive = true});
    EXPECT_TRUE(disk.sync_directory("").ok());
    Bytes content = random_bytes(50'000, 1);
    perform(*ring, IoKind::kWrite, file->fd, 0, content);
    disk.power_cut();
    return std::pair(disk.operations_seen(), load(disk, "a"));
  };
  EXPECT_EQ(run(), run());
}

TEST(SimFileSystem, RingsReorderCompletionsAndCutTransfersShort) {
  SimFileSystem disk(5);
  auto ring = *disk.make_ring(8);
  EXPECT_EQ(ring->backend(), IoBackend::kSim);
  const auto file = disk.open("a", {.write = true, .create_exclusive = true});
  std::vector<IoOperation> operations(64);
  std::vector<std::size_t> order;
  Bytes block(4096);
  struct Context {
    std::vector<IoOperation>* operations;
    std::vector<std::size_t>* order;
  } context{&operations, &order};
  for (std::size_t i = 0; i < operations.size(); ++i) {
    operations[i].kind = IoKind::kWrite;
    operations[i].fd = file->fd;
    operations[i].offset_bytes = i * 4096;
    operations[i].bytes = block;
    operations[i].owner = &context;
    operations[i].done = [](IoOperation& done) {
      const auto& seen = *static_cast<Context*>(done.owner);
      seen.order->push_back(static_cast<std::size_t>(&done - seen.operations->data()));
    };
    ring->submit(operations[i]);
  }
  while (ring->in_flight() > 0) ASSERT_TRUE(ring->run(Wait::kForOne).ok());
  EXPECT_EQ(order.size(), operations.size());
  EXPECT_FALSE(std::ranges::is_sorted(order));
  EXPECT_TRUE(std::ranges::any_of(operations, [](const IoOperation& done) { return done.result < 4096; }));
}

TEST(SimFileSystem, DirectFilesTakeWholeBlocksOnly) {
  SimFileSystem disk(6);
  auto arena = *BufferArena::map(2 * kMiB);
  auto ring = *disk.make_ring(1);
  const auto file = disk.open("a", {.write = true, .create_exclusive = true, .direct = true});
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->direct);
  const MutableByteView buffer = arena.carve(8192);
  EXPECT_EQ(perform(*ring, IoKind::kWrite, file->fd, 0, buffer), 8192);
  EXPECT_EQ(perform(*ring, IoKind::kWrite, file->fd, 100, buffer), -EINVAL);
  EXPECT_EQ(perform(*ring, IoKind::kWrite, file->fd, 0, buffer.first(100)), -EINVAL);
  EXPECT_EQ(perform(*ring, IoKind::kWrite, file->fd, 0, buffer.subspan(8, 4096)), -EINVAL);
  disk.set_direct_supported(false);
  EXPECT_FALSE(disk.open("a", {.direct = true})->direct);
}

TEST(SimFileSystem, AFullDiskRefusesToGrow) {
  SimFileSystem disk(8);
  disk.set_capacity_bytes(10'000);
  auto ring = *disk.make_ring(1);
  const auto file = disk.open("a", {.write = true, .create_exclusive = true});
  Bytes content(8000);
  ASSERT_EQ(perform(*ring, IoKind::kWrite, file->fd, 0, content), 8000);
  EXPECT_EQ(*disk.free_space_bytes(), 2000U);
  EXPECT_EQ(disk.reserve(file->fd, 20'000).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(perform(*ring, IoKind::kWrite, file->fd, 8000, content), -ENOSPC);
  EXPECT_EQ(perform(*ring, IoKind::kWrite, file->fd, 100, MutableByteView(content).first(7000)), 7000);
  ASSERT_TRUE(disk.remove("a").ok());
  ASSERT_TRUE(disk.sync_directory("").ok());
  ASSERT_TRUE(disk.close(file->fd).ok());
  EXPECT_EQ(*disk.free_space_bytes(), 10'000U);
}

TEST(SimFileSystem, LinksCanBeMissing) {
  SimFileSystem disk(9);
  ASSERT_TRUE(disk.open("a", {.write = true, .create_exclusive = true}).ok());
  disk.set_links_supported(false);
  EXPECT_EQ(disk.link("a", "b").error().code, ErrorCode::kUsage);
  EXPECT_TRUE(disk.rename_no_replace("a", "b").ok());
}

TEST(SimFileSystem, ItsClockMovesWhenTold) {
  SimFileSystem disk(10);
  ASSERT_TRUE(disk.open("a", {.write = true, .create_exclusive = true}).ok());
  const std::int64_t created_ns = disk.stat("a")->modified_ns;
  disk.advance_clock(std::chrono::hours(48));
  EXPECT_GT(disk.now_ns() - created_ns, std::chrono::nanoseconds(std::chrono::hours(47)).count());
}

RC_GTEST_PROP(SimFileSystemProperty, SyncedContentSurvivesWhateverFollowsUnsynced,
              (std::uint64_t seed, const std::vector<std::uint8_t>& synced, const std::vector<std::uint8_t>& later)) {
  SimFileSystem disk(seed);
  auto ring = *disk.make_ring(2);
  const auto file = disk.open("a", {.write = true, .create_exclusive = true});
  Bytes first = synced;
  Bytes second = later;
  RC_ASSERT(perform(*ring, IoKind::kWrite, file->fd, 0, first) == static_cast<std::int64_t>(first.size()));
  RC_ASSERT(perform(*ring, IoKind::kSyncData, file->fd, 0, {}) == 0);
  RC_ASSERT(disk.sync_directory("").ok());
  perform(*ring, IoKind::kWrite, file->fd, first.size(), second);  // after the synced bytes
  disk.power_cut();
  const auto left = load(disk, "a");
  RC_ASSERT(left.has_value());
  RC_ASSERT(left->size() >= first.size() && left->size() <= first.size() + second.size());
  RC_ASSERT(std::equal(first.begin(), first.end(), left->begin()));
}

}  // namespace
}  // namespace drs
