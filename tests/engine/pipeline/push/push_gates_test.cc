// The gates of a push, at their exact limits and just beyond.
#include <gtest/gtest.h>

#include "tests/engine/pipeline/push/push_fixture.h"

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
    const auto memory = plan_push({.memory_bytes = kMemoryBytesMin, .threads = 1}, options.compression);
    auto arena = BufferArena::map(memory->arena_bytes);
    ProgressCounters progress;
    CancelToken cancel;
    const auto pushed = push(*repository_, source, options, {*memory, *arena}, {progress, cancel});
    if (pushed.ok()) warnings_ = pushed->warnings;
    return pushed.ok();
  }
  bool passes(std::size_t bytes, const PushGates& gates = {}) { return passes(std::string(bytes, 'x'), gates); }

  std::vector<std::string> warnings_;  // of the last push that passed
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

TEST_F(PushGatesTest, AnAnomalyIsNotWhatTheNextStreamIsComparedWith) {
  ASSERT_TRUE(passes(1000));
  PushGates gates;
  gates.shrink_max = 0.25;
  gates.growth_max = 0.25;
  gates.tag_anomalies = true;
  ASSERT_TRUE(passes(100, gates));
  gates.tag_anomalies = false;
  EXPECT_FALSE(passes(100, gates)) << "the same small stream a second time";
  EXPECT_TRUE(passes(1000, gates)) << "as before the anomaly";
}

TEST_F(PushGatesTest, WhereAllAreAnomaliesAPushIsAsTheFirstAndWarns) {
  PushGates gates;
  gates.bytes_min = 5000;
  gates.tag_anomalies = true;
  ASSERT_TRUE(passes(1000, gates));
  EXPECT_TRUE(warnings_.empty());
  PushGates shrink;
  shrink.shrink_max = 0.25;
  EXPECT_TRUE(passes(100, shrink));
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find("nothing to compare with"), std::string::npos) << warnings_[0];
  EXPECT_TRUE(passes(100, shrink));
  EXPECT_TRUE(warnings_.empty()) << "the one before has no tag";
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
