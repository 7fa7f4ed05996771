// Push against repositories larger than the table of known chunks.
#include "engine/pipeline/dedup_index.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/pipeline/push.h"
#include "engine/repository/snapshots.h"
#include "sinks/memory_store.h"
#include "tests/engine/pipeline/buffer_source.h"

namespace drs {
namespace {

class SampledDedupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = make_memory_store(std::make_shared<MemoryObjects>());
    InitOptions options;
    options.secret.kind = SlotKind::kRawKey;
    options.secret.bytes = SecretBytes(32);
    options.secret.bytes.mutable_view()[5] = 9;
    ASSERT_TRUE(Repository::init(*store_, clock_, options).ok());
    auto opened = Repository::open(*store_->another(), clock_, options.secret, best_crypto_backend());
    ASSERT_TRUE(opened.ok());
    repository_ = *std::move(opened);
  }

  // A push whose table of known chunks has room for `entries`.
  PushReport push_with_table(const std::string& stream, ByteView bytes, std::size_t entries) {
    BufferSource source(bytes);
    PushOptions options;
    options.stream = stream;
    PushMemory memory = *plan_push(kMemoryBytesMin, 2, options.compression);
    memory.index_table_bytes = entries * 16;
    auto arena = BufferArena::map(memory.arena_bytes);
    ProgressCounters progress;
    CancelToken cancel;
    auto report = push(*repository_, source, options, memory, *arena, progress, cancel);
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message);
    return *std::move(report);
  }

  static Bytes random_stream(std::uint32_t seed, std::size_t bytes) {
    std::mt19937_64 random(seed);
    Bytes out(bytes);
    for (Byte& b : out) b = static_cast<Byte>(random());
    return out;
  }

  SystemClock clock_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<Repository> repository_;
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
  EXPECT_LT(other.manifest.new_bytes, stream.size() / 3);
}

TEST_F(SampledDedupTest, GoesOnWhenTheTableFillsUpDuringAPush) {
  const Bytes stream = random_stream(3, 48 << 20);
  const PushReport first = push_with_table("a", stream, 1500);
  EXPECT_EQ(first.manifest.new_bytes, stream.size());
  const PushReport again = push_with_table("a", stream, 1500);
  EXPECT_LT(again.manifest.new_bytes, stream.size() / 20);
}

}  // namespace
}  // namespace drs
