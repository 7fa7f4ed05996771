#include "engine/pipeline/push/block_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/repository/stream_range.h"
#include "tests/engine/pipeline/push/push_fixture.h"

namespace drs::test {
namespace {

class BlockWriterTest : public MemoryRepositoryTest {
 protected:
  void SetUp() override {
    MemoryRepositoryTest::SetUp();
    memory_ = *plan_push_share({.bytes = kMemoryBytesMin, .ceiling = "test", .store = {}, .in_blocks = true}, 2, {});
    arena_.emplace(*BufferArena::map(memory_.arena_bytes));
    session_ = *WriteSession::begin(*repository_, repository_->store(), {.stream = "s", .host = "h"}, {});
    writer_ = *BlockWriter::open(*repository_, *session_, {memory_, *arena_}, {progress_, cancel_}, {});
  }
  void append(ByteView bytes) {
    auto buffer = writer_->acquire();
    ASSERT_TRUE(buffer.ok()) << buffer.error().message;
    std::ranges::copy(bytes, buffer->bytes().begin());
    const std::uint64_t before = writer_->stream_bytes();
    const auto place = writer_->append(*std::move(buffer), bytes.size());
    ASSERT_TRUE(place.ok()) << place.error().message;
    EXPECT_EQ(*place, before);
  }

  PushMemory memory_;
  std::optional<BufferArena> arena_;
  ProgressCounters progress_;
  CancelToken cancel_;
  std::unique_ptr<WriteSession> session_;
  std::unique_ptr<BlockWriter> writer_;
};

TEST_F(BlockWriterTest, StreamsReadBackByRangeEachBlockByItself) {
  std::mt19937_64 random(7);
  const std::vector<std::size_t> sizes = {1, 15, 16, 17, 20'000, 65'534, 65'535, 70'001, kWholeBlockBytesMax, 3};
  std::vector<Bytes> contents(2);
  std::vector<ManifestStream> streams;
  for (std::size_t s = 0; s < 2; ++s) {
    for (int round = 0; round < 3; ++round)
      for (const std::size_t size : sizes) {
        const Bytes block = text_stream(static_cast<std::uint32_t>(random()), size);
        append(block);
        contents[s].insert(contents[s].end(), block.begin(), block.end());
      }
    auto stream = writer_->end_stream("stream-" + std::to_string(s));
    ASSERT_TRUE(stream.ok()) << stream.error().message;
    EXPECT_EQ(stream->bytes, contents[s].size());
    EXPECT_EQ(stream->xxh3, xxh3_128(contents[s]));
    EXPECT_EQ(stream->sha256, sha256(contents[s]));
    streams.push_back(*std::move(stream));
  }
  ASSERT_TRUE(writer_->finish().ok());
  EXPECT_EQ(writer_->totals().bytes, contents[0].size() + contents[1].size());
  const PackCatalog packs = *PackCatalog::load(*repository_);
  EXPECT_EQ(packs.packs().size(), writer_->totals().packs.packs);
  const auto index = *BlockIndex::load(*repository_, repository_->store(), packs, {});
  BlockReader reader = *BlockReader::make(*repository_, repository_->store());
  StreamRange range(*index, reader);
  for (int i = 0; i < 300; ++i) {
    const std::size_t s = random() % 2;
    const std::size_t from = random() % contents[s].size();
    const std::size_t bytes = std::min<std::size_t>(contents[s].size() - from, random() % (1 << (random() % 22)));
    const auto read = range.read(streams[s], from, bytes);
    ASSERT_TRUE(read.ok()) << read.error().message;
    ASSERT_TRUE(std::ranges::equal(*read, ByteView(contents[s]).subspan(from, bytes))) << from << " " << bytes;
  }
  EXPECT_EQ(range.read(streams[0], streams[0].bytes, 1).error().code, ErrorCode::kCorrupt);
  // Blocks are not shared: one for each buffer.
  std::uint64_t blocks = 0;
  const auto count = [&](const BlockId&, std::uint64_t, std::uint64_t) -> Result<void> {
    ++blocks;
    return {};
  };
  for (const RecipePartRef& part : streams[1].parts) ASSERT_TRUE(range.visit_blocks(part, count).ok());
  EXPECT_EQ(blocks, 3 * sizes.size() + streams[1].parts.size());
}

TEST_F(BlockWriterTest, AStreamMayBeEmpty) {
  const auto stream = writer_->end_stream("none");
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(stream->bytes, 0U);
  EXPECT_TRUE(stream->parts.empty());
  EXPECT_TRUE(writer_->finish().ok());
}

TEST_F(BlockWriterTest, ACancelEndsEveryCall) {
  append(Bytes(1000, 1));
  std::vector<PooledBuffer> held;
  cancel_.cancel();
  EXPECT_EQ(writer_->acquire().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(writer_->end_stream("s").error().code, ErrorCode::kCancelled);
  EXPECT_EQ(writer_->finish().error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace drs::test
