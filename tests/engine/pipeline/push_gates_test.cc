// The gates of a push, at and beside their exact limits.
#include <gtest/gtest.h>

#include "tests/engine/pipeline/push_fixture.h"

namespace drs {
namespace {

class PushGatesTest : public test::MemoryRepositoryTest {
 protected:
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
