#include "engine/pipeline/pull/pull.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <new>
#include <thread>

#include "engine/format/names.h"
#include "tests/engine/pipeline/pull/pull_runs.h"
#include "tests/engine/pipeline/repository_fixture.h"

namespace drs::test {
namespace {

// A repository with `blocks` blocks in some packs, and pieces of them in a random order.
std::vector<Piece> random_stream(RepositoryFixture& fixture, std::size_t block_count, std::size_t piece_count,
                                 std::mt19937_64& random) {
  std::vector<BlockId> blocks;
  std::vector<Digest> packs;
  for (std::size_t i = 0; i < block_count; ++i) {
    std::vector<Bytes> chunks(1 + random() % 5);
    for (Bytes& chunk : chunks) chunk = plain_bytes(1 + random() % 3000, random());
    blocks.push_back(fixture.add_block(chunks, random() % 4 == 0));
    if (random() % 5 == 0 || i + 1 == block_count) packs.push_back(fixture.close_pack());
  }
  if (!packs.empty() && random() % 4 != 0) fixture.add_index(packs);
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < piece_count && !blocks.empty(); ++i) {
    // Mostly close to the previous piece, as in a real stream.
    const BlockId block = blocks[random() % 3 == 0 ? random() % blocks.size() : i % blocks.size()];
    const auto chunks = static_cast<std::uint32_t>(fixture.chunks_of(block).size());
    const auto first = static_cast<std::uint32_t>(random() % chunks);
    pieces.push_back({block, first, 1 + static_cast<std::uint32_t>(random() % (chunks - first))});
  }
  return pieces;
}

TEST(Pull, RestoresAnyStreamWithAnyBudget) {
  const bool holds = rc::check("pull gives the stream back", [] {
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    RepositoryFixture fixture;
    const auto pieces =
        random_stream(fixture, *rc::gen::inRange<std::size_t>(1, 40), *rc::gen::inRange<std::size_t>(0, 120), random);
    const Snapshot snapshot = fixture.add_snapshot("s", pieces, *rc::gen::inRange<std::size_t>(1, 60));
    const Bytes expected = fixture.stream_of(pieces);
    const PullMemory memory = budget(*rc::gen::inRange<std::size_t>(1, 5), *rc::gen::inRange<std::size_t>(1, 9),
                                     *rc::gen::inRange<std::size_t>(1, 4));

    PullRun whole(fixture, snapshot, memory);
    RC_ASSERT(whole.report.ok());
    RC_ASSERT(whole.sink.bytes == expected);
    RC_ASSERT(whole.sink.commits == 1);
    RC_ASSERT(whole.sink.abandons == 0);
    RC_ASSERT(whole.report->whole);
    RC_ASSERT(whole.report->bytes == expected.size());
    RC_ASSERT(whole.report->healed_blocks == 0U);
    RC_ASSERT(whole.progress.bytes == expected.size());

    PullOptions range;
    range.offset_bytes = random() % (expected.size() + 1);
    range.length_bytes = random() % (expected.size() - range.offset_bytes + 1);
    PullRun part(fixture, snapshot, memory, range);
    RC_ASSERT(part.report.ok());
    const auto begin = expected.begin() + static_cast<std::ptrdiff_t>(range.offset_bytes);
    RC_ASSERT(part.sink.bytes == Bytes(begin, begin + static_cast<std::ptrdiff_t>(*range.length_bytes)));
    RC_ASSERT(part.report->whole == (*range.length_bytes == expected.size()));
    RC_ASSERT(part.sink.commits == 1);
  });
  EXPECT_TRUE(holds);
}

TEST(Pull, RestoresBlocksOfTheLargestSize) {
  RepositoryFixture fixture;
  std::vector<Piece> pieces;
  for (std::uint64_t i = 0; i < 6; ++i) {
    std::vector<Bytes> chunks(32, plain_bytes(32 * kKiB, i));
    pieces.push_back({fixture.add_block(chunks, i % 2 == 0), 0, 32});
  }
  fixture.add_index({fixture.close_pack()});
  const Snapshot snapshot = fixture.add_snapshot("s", pieces);
  PullRun run(fixture, snapshot, budget(2, 3, 1));
  ASSERT_TRUE(run.report.ok()) << run.report.error().message;
  EXPECT_EQ(run.sink.bytes, fixture.stream_of(pieces));
  EXPECT_EQ(run.report->decoded_bytes, 6 * kMiB);
}

TEST(Pull, ReadsNeighbouringBlocksTogether) {
  RepositoryFixture fixture;
  std::vector<Piece> pieces;
  for (std::uint64_t i = 0; i < 50; ++i) pieces.push_back({fixture.add_block({plain_bytes(1000, i)}), 0, 1});
  const Digest pack = fixture.close_pack();
  fixture.add_index({pack});
  const Snapshot snapshot = fixture.add_snapshot("s", pieces);
  std::uint64_t reads_of_pack = 0;
  fixture.faults().fail = [&](const GetOperation& get) -> std::optional<Error> {
    if (get.key == pack_name(pack)) ++reads_of_pack;
    return std::nullopt;
  };
  PullRun run(fixture, snapshot, budget(2, 8, 2));
  ASSERT_TRUE(run.report.ok());
  EXPECT_EQ(reads_of_pack, 1U);
}

TEST(Pull, KeepsBlocksThatComeAgain) {
  RepositoryFixture fixture;
  const BlockId again = fixture.add_block({plain_bytes(1000, 1), plain_bytes(1000, 2)});
  std::vector<Piece> pieces;
  for (std::uint64_t i = 0; i < 50; ++i) {
    pieces.push_back({again, static_cast<std::uint32_t>(i % 2), 1});
    pieces.push_back({fixture.add_block({plain_bytes(1000, 10 + i)}), 0, 1});
  }
  fixture.close_pack();
  const Snapshot snapshot = fixture.add_snapshot("s", pieces, 20);
  PullRun run(fixture, snapshot, budget(2, 3, 2));
  ASSERT_TRUE(run.report.ok());
  EXPECT_EQ(run.report->decoded_bytes, 2000U + 50 * 1000U);
}

TEST(Pull, RestoresAnEmptyStream) {
  RepositoryFixture fixture;
  PullRun run(fixture, fixture.add_snapshot("s", {}), budget(1, 1, 1));
  ASSERT_TRUE(run.report.ok());
  EXPECT_TRUE(run.report->whole);
  EXPECT_EQ(run.sink.commits, 1);
}

TEST(Pull, RefusesARangeOutsideTheStream) {
  RepositoryFixture fixture;
  const std::vector<Piece> pieces{{fixture.add_block({plain_bytes(1000, 1)}), 0, 1}};
  const Snapshot snapshot = fixture.add_snapshot("s", pieces);
  for (const PullOptions& range : {PullOptions{1001, std::nullopt}, PullOptions{0, 1001}, PullOptions{999, 2}}) {
    PullRun run(fixture, snapshot, budget(1, 1, 1), range);
    ASSERT_FALSE(run.report.ok());
    EXPECT_EQ(run.report.error().code, ErrorCode::kUsage);
    EXPECT_EQ(run.sink.abandons, 1);
    EXPECT_EQ(run.sink.commits, 0);
  }
}

TEST(Pull, StopsWhenTheSinkFails) {
  RepositoryFixture fixture;
  std::mt19937_64 random(7);
  const auto pieces = random_stream(fixture, 30, 200, random);
  const Snapshot snapshot = fixture.add_snapshot("s", pieces, 50);
  const std::size_t size = fixture.stream_of(pieces).size();
  for (const std::size_t limit : {std::size_t{0}, size / 2, size - 1}) {
    PullRun run(fixture, snapshot, budget(3, 4, 2), {}, [&](PullRun& self) { self.sink.fail_after_bytes = limit; });
    ASSERT_FALSE(run.report.ok());
    EXPECT_EQ(run.report.error().code, ErrorCode::kSinkClosed);
    EXPECT_EQ(run.sink.commits, 0);
    EXPECT_EQ(run.sink.abandons, 1);
  }
}

// In either thread: the one that reads, and the one that writes.
TEST(Pull, EndsWithAnErrorForWantOfMemory) {
  RepositoryFixture fixture;
  std::mt19937_64 random(9);
  const auto pieces = random_stream(fixture, 30, 200, random);
  const Snapshot snapshot = fixture.add_snapshot("s", pieces, 50);
  const auto expect_error = [](const PullRun& run) {
    ASSERT_FALSE(run.report.ok());
    EXPECT_EQ(run.report.error().code, ErrorCode::kBusy);
    EXPECT_EQ(run.sink.commits, 0);
    EXPECT_EQ(run.sink.abandons, 1);
  };
  expect_error(PullRun(fixture, snapshot, budget(3, 4, 2), {},
                       [](PullRun& self) { self.sink.on_write = [] { throw std::bad_alloc(); }; }));
  const auto caller = std::this_thread::get_id();
  int left = 5;
  fixture.faults().fail = [&](const GetOperation&) -> std::optional<Error> {
    if (std::this_thread::get_id() != caller && left-- == 0) throw std::bad_alloc();
    return std::nullopt;
  };
  expect_error(PullRun(fixture, snapshot, budget(3, 4, 2)));
}

TEST(Pull, StopsWhenCancelled) {
  RepositoryFixture fixture;
  std::mt19937_64 random(8);
  const auto pieces = random_stream(fixture, 30, 300, random);
  const Snapshot snapshot = fixture.add_snapshot("s", pieces, 50);
  for (int writes_before = 0; writes_before < 100; writes_before += 9) {
    std::thread canceller;
    int writes = 0;
    PullRun run(fixture, snapshot, budget(2, 4, 2), {}, [&](PullRun& self) {
      self.sink.on_write = [&] {
        if (writes++ == writes_before) canceller = std::thread([&] { self.cancel.cancel(); });
      };
    });
    canceller.join();
    if (run.report.ok()) {  // the cancel came too late
      EXPECT_EQ(run.sink.commits, 1);
      continue;
    }
    EXPECT_EQ(run.report.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(run.sink.commits, 0);
    EXPECT_EQ(run.sink.abandons, 1);
  }
}

TEST(Pull, DoesNothingWhenCancelledBefore) {
  RepositoryFixture fixture;
  const std::vector<Piece> pieces{{fixture.add_block({plain_bytes(1000, 1)}), 0, 1}};
  const Snapshot snapshot = fixture.add_snapshot("s", pieces);
  PullRun run(fixture, snapshot, budget(1, 1, 1), {}, [](PullRun& self) { self.cancel.cancel(); });
  ASSERT_FALSE(run.report.ok());
  EXPECT_EQ(run.report.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(run.sink.commits, 0);
  EXPECT_TRUE(run.sink.bytes.empty());
}

TEST(Pull, ACancelReachesTheSinkWhileItCommits) {
  RepositoryFixture fixture;
  const Snapshot snapshot = fixture.add_snapshot("s", {{fixture.add_block({plain_bytes(1000, 1)}), 0, 1}});
  PullRun run(fixture, snapshot, budget(1, 1, 1), {},
              [](PullRun& self) { self.sink.on_commit = [&] { std::thread([&] { self.cancel.cancel(); }).join(); }; });
  ASSERT_FALSE(run.report.ok());
  EXPECT_EQ(run.report.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(run.sink.cancels, 1);
}

TEST(Pull, MayBeCancelledAfterItHasEnded) {
  RepositoryFixture fixture;
  PullRun run(fixture, fixture.add_snapshot("s", {}), budget(1, 1, 1));
  run.cancel.cancel();
  EXPECT_EQ(run.sink.cancels, 0);
}

TEST(PullMemory, FitsTheCeilingAndKeepsMostForBlocks) {
  for (const std::size_t memory_bytes : {kMemoryBytesMin, kMemoryBytesDefault, 1 * kGiB, 16 * kGiB}) {
    for (const std::size_t threads : {1U, 2U, 4U, 64U, 1000U}) {
      const auto plan = plan_pull({.memory_bytes = memory_bytes, .threads = threads});
      ASSERT_TRUE(plan.ok());
      EXPECT_LE(plan->arena_bytes + plan->index_cache_bytes + 16 * kMiB, memory_bytes);
      EXPECT_GE(plan->block_buffers * kBlockBytesMax, std::min<std::size_t>(memory_bytes / 2, 4096 * kMiB));
      EXPECT_GE(plan->workers, 1U);
      EXPECT_LE(plan->workers, threads);
      EXPECT_EQ(plan->notice.empty(), plan->workers == threads);
    }
  }
  EXPECT_GE(plan_pull({.memory_bytes = kMemoryBytesMin, .threads = 2})->block_buffers, 60U);
}

TEST(PullMemory, RefusesLessThanTheFloor) {
  const auto plan = plan_pull({.memory_bytes = kMemoryBytesMin - 1, .threads = 2});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::kUsage);
  EXPECT_NE(plan.error().message.find("96 MiB"), std::string::npos);
}

}  // namespace
}  // namespace drs::test
