// Push against repositories larger than the table of known chunks.
#include "engine/pipeline/push/dedup_index.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/repository/snapshots.h"
#include "sinks/fault_store.h"
#include "tests/engine/pipeline/push/push_fixture.h"

namespace drs {
namespace {

using test::random_stream;

class SampledDedupTest : public test::MemoryRepositoryTest {
 protected:
  // A push with a table of known chunks for `entries` entries.
  PushReport push_with_table(const std::string& stream, ByteView bytes, std::size_t entries) {
    BufferSource source(bytes);
    PushOptions options;
    options.stream = stream;
    PushMemory memory = *plan_push({.memory_bytes = kMemoryBytesMin, .threads = 2}, options.compression);
    memory.index_table_bytes = entries * 16;
    auto arena = BufferArena::map(memory.arena_bytes);
    ProgressCounters progress;
    CancelToken cancel;
    auto report = push(*repository_, source, options, {memory, *arena}, {progress, cancel});
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message);
    return *std::move(report);
  }
};

// 48 MiB are about 2,500 chunks; a table of 700 holds a quarter of them at best.
TEST_F(SampledDedupTest, FindsTheStreamsLastSnapshotAlmostWhole) {
  const Bytes stream = random_stream(1, 48 << 20);
  push_with_table("a", stream, 4000);
  const PushReport again = push_with_table("a", stream, 700);
  EXPECT_LT(again.manifest.new_bytes, stream.size() / 50);
}

TEST_F(SampledDedupTest, FindsMostOfAnotherStreamByItsHooks) {
  const Bytes stream = random_stream(2, 48 << 20);
  push_with_table("a", stream, 4000);
  const PushReport other = push_with_table("b", stream, 700);
  EXPECT_LT(other.manifest.new_bytes, stream.size() / 10);  // which blocks are sampled is up to the key
}

TEST_F(SampledDedupTest, GoesOnWhenTheTableFillsUpDuringAPush) {
  const Bytes stream = random_stream(3, 48 << 20);
  const PushReport first = push_with_table("a", stream, 1500);
  EXPECT_EQ(first.manifest.new_bytes, stream.size());
  const PushReport again = push_with_table("a", stream, 1500);
  EXPECT_LT(again.manifest.new_bytes, stream.size() / 20);
}

// The index of a repository, opened over a store that counts reads.
class OpenedIndex {
 public:
  // `entries`: room in the table.
  OpenedIndex(Repository& repository, std::unique_ptr<ObjectStore> store, std::size_t entries)
      : store_(make_fault_store(std::move(store), plan_)), catalog_(*PackCatalog::load(repository)) {
    // No chunk list stays cached, so that each use of one is a read.
    index = *BlockIndex::load(repository, *store_, catalog_, {.cache_bytes = 1});
    reader_.emplace(*BlockReader::make(repository, *store_));
    std::vector<std::string> warnings;
    dedup = *DedupIndex::make(*index, *reader_, blocks_, {}, {.table_bytes = entries * 16}, warnings);
    EXPECT_TRUE(warnings.empty());
  }
  [[nodiscard]] std::uint64_t reads() const { return plan_->operations(); }
  // The chunks of the first unit, samples or not.
  std::vector<ChunkEntry> chunks(bool samples) {
    std::vector<ChunkEntry> out;
    const std::uint64_t mask = (std::uint64_t{1} << dedup->sample_shift()) - 1;
    EXPECT_TRUE(index
                    ->visit_chunks(0,
                                   [&](std::uint32_t, const std::vector<ChunkEntry>& entries) -> Result<void> {
                                     for (const ChunkEntry& entry : entries)
                                       if (((chunk_word(entry.id) & mask) == 0) == samples) out.push_back(entry);
                                     return {};
                                   })
                    .ok());
    return out;
  }

 private:
  std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  std::unique_ptr<ObjectStore> store_;
  PackCatalog catalog_;
  std::optional<BlockReader> reader_;
  SessionBlocks blocks_;

 public:
  std::unique_ptr<BlockIndex> index;
  std::unique_ptr<DedupIndex> dedup;
};

// A sampled table keeps the 32 bits above those that are zero in every sample. If it kept the zero bits too, every
// doubling of the sampling rate would cause more reads of lists that do not have the chunk.
TEST_F(SampledDedupTest, ReadsNoListForAChunkThatOnlyLooksLikeAKnownOne) {
  push_with_table("a", random_stream(4, 48 << 20), 4000);
  OpenedIndex opened(*repository_, make_memory_store(objects_), 400);
  ASSERT_GE(opened.dedup->sample_shift(), 3U);
  const ChunkEntry sample = opened.chunks(true).at(0);
  const std::uint64_t before = opened.reads();
  // The flipped bit either makes the chunk no sample although the table's bits agree, or lies just above the word's
  // lower half.
  for (const std::size_t bit : {std::size_t{0}, std::size_t{33}}) {
    ChunkId other = sample.id;
    other.data[bit / 8] ^= static_cast<Byte>(1U << bit % 8);
    const auto answer = opened.dedup->find(other, sample.bytes);
    ASSERT_TRUE(answer.ok());
    EXPECT_FALSE(answer->place.has_value());
  }
  EXPECT_EQ(opened.reads(), before);
  const auto answer = opened.dedup->find(sample.id, sample.bytes);
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->place.has_value());
  EXPECT_GT(opened.reads(), before);
}

// The table holds only some bits of an id; the block's list must agree in the full id and in the length.
TEST_F(SampledDedupTest, KnowsAChunkByItsWholeIdAndItsLengthOnly) {
  push_with_table("a", random_stream(6, 8 << 20), 4000);
  OpenedIndex opened(*repository_, make_memory_store(objects_), 4000);
  ASSERT_EQ(opened.dedup->sample_shift(), 0U);
  const std::vector<ChunkEntry> chunks = opened.chunks(true);
  const auto is_known = [&](const ChunkEntry& chunk) {
    const auto answer = opened.dedup->find(chunk.id, chunk.bytes);
    return answer.ok() && answer->place.has_value();
  };
  // Found by the table, and as the chunk after the one found before.
  for (const std::size_t place : {std::size_t{0}, std::size_t{1}}) {
    for (const std::size_t byte : {std::size_t{8}, std::size_t{20}, std::size_t{31}}) {
      ChunkEntry other = chunks.at(place);
      other.id.data[byte] ^= 1;
      EXPECT_FALSE(is_known(other)) << place << ' ' << byte;
    }
    ChunkEntry longer = chunks.at(place);
    longer.bytes = static_cast<std::uint16_t>(longer.bytes + 1);
    EXPECT_FALSE(is_known(longer)) << place;
    EXPECT_TRUE(is_known(chunks.at(place))) << place;
  }
}

// Thinning would remove all other chunks, but no copy of this one.
TEST_F(SampledDedupTest, IsNotFilledByCopiesOfOneChunk) {
  OpenedIndex opened(*repository_, make_memory_store(objects_), 400);
  ChunkEntry chunk;
  chunk.bytes = 100;
  chunk.id.data[0] = 1;
  const auto block = std::make_shared<const std::vector<ChunkEntry>>(10, chunk);
  for (std::uint64_t counter = 0; counter < 100; ++counter) opened.dedup->add_block(counter, block);
  EXPECT_EQ(opened.dedup->sample_shift(), 0U);
}

TEST_F(SampledDedupTest, LeavesRoomForWhatThePushAdds) {
  push_with_table("a", random_stream(5, 48 << 20), 4000);
  const std::uint64_t chunks = OpenedIndex(*repository_, make_memory_store(objects_), 4000).index->chunk_count();
  // Half of the chunks would take 0.7 of the table; samples may have 0.75.
  EXPECT_EQ(OpenedIndex(*repository_, make_memory_store(objects_), chunks * 10 / 14).dedup->sample_shift(), 2U);
}

}  // namespace
}  // namespace drs
