// The gates of a push, at and beside their exact limits.
#include <gtest/gtest.h>

#include "engine/pipeline/push.h"
#include "sinks/memory_store.h"
#include "tests/engine/pipeline/buffer_source.h"

namespace drs {
namespace {

class PushGatesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = make_memory_store(std::make_shared<MemoryObjects>());
    InitOptions options;
    options.secret.kind = SlotKind::kRawKey;
    options.secret.bytes = SecretBytes(32);
    options.secret.bytes.mutable_view()[2] = 3;
    ASSERT_TRUE(Repository::init(*store_, clock_, options).ok());
    auto opened = Repository::open(*store_->another(), clock_, options.secret, best_crypto_backend());
    ASSERT_TRUE(opened.ok());
    repository_ = *std::move(opened);
  }

  bool passes(std::string_view text, const PushGates& gates) {
    const Bytes bytes(text.begin(), text.end());
    BufferSource source(bytes);
    PushOptions options;
    options.stream = "s";
    options.gates = gates;
    const auto memory = plan_push(kMemoryBytesMin, 1, options.compression);
    auto arena = BufferArena::map(memory->arena_bytes);
    ProgressCounters progress;
    CancelToken cancel;
    return push(*repository_, source, options, *memory, *arena, progress, cancel).ok();
  }
  bool passes(std::size_t bytes, const PushGates& gates = {}) { return passes(std::string(bytes, 'x'), gates); }

  SystemClock clock_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(PushGatesTest, AStreamMayBeExactlyAsLongAsTheLeastSize) {
  PushGates gates;
  gates.bytes_min = 1000;
  EXPECT_FALSE(passes(999, gates));
  EXPECT_TRUE(passes(1000, gates));
}

TEST_F(PushGatesTest, AStreamMayShrinkByExactlyTheShareThatIsAllowed) {
  ASSERT_TRUE(passes(1000));
  PushGates gates;
  gates.shrink_max = 0.25;
  EXPECT_FALSE(passes(749, gates));
  EXPECT_TRUE(passes(750, gates));
}

TEST_F(PushGatesTest, AStreamMayGrowByExactlyTheShareThatIsAllowed) {
  ASSERT_TRUE(passes(1000));
  PushGates gates;
  gates.growth_max = 0.25;
  EXPECT_FALSE(passes(1251, gates));
  EXPECT_TRUE(passes(1250, gates));
}

TEST_F(PushGatesTest, ATrailerMustStandWhereItsPatternSays) {
  PushGates gates;
  gates.trailer_pattern = "complete$";
  EXPECT_FALSE(passes("dump complete, or not", gates));
  EXPECT_TRUE(passes("dump complete", gates));
}

TEST_F(PushGatesTest, AnEmptyStreamNeedsPermission) {
  EXPECT_FALSE(passes(0));
  PushGates gates;
  gates.allow_empty = true;
  EXPECT_TRUE(passes(0, gates));
}

}  // namespace
}  // namespace drs
