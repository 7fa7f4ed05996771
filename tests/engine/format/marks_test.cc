#include "engine/format/marks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

TEST(RemovedMark, RoundTrips) {
  const auto decoded = decode_removed(encode_removed(golden::removed()));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, golden::removed());
}

TEST(SessionRecord, RoundTrips) {
  const auto decoded = decode_session(encode_session(golden::session()));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, golden::session());
}

TEST(CondemnedPacks, AreStoredSortedAndOnce) {
  const Digest a = golden::fixed_digest("a"), b = golden::fixed_digest("b");
  const CondemnedPacks packs{.condemned_ns = 9, .packs = {a, b, a}};
  const auto decoded = decode_condemned(encode_condemned(packs));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->condemned_ns, 9);
  EXPECT_EQ(decoded->packs, (std::vector<Digest>{std::min(a, b), std::max(a, b)}));
}

TEST(DamagedMark, RoundTripsWithoutAKey) {
  const auto decoded = decode_damaged(encode_damaged(golden::damaged()));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, golden::damaged());
}

TEST(DamagedMark, OfAWholePackNamesNoBlock) {
  DamagedMark mark = golden::damaged();
  mark.blocks.clear();
  const auto decoded = decode_damaged(encode_damaged(mark));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, mark);
}

TEST(DamagedMark, NamesBlocksInOrderWithoutOverlapInsideAPackAndAtMostAsManyAsAPackHas) {
  DamagedMark mark = golden::damaged();
  const auto decodes = [&](std::vector<DamagedBlock> blocks) {
    mark.blocks = std::move(blocks);
    return decode_damaged(encode_damaged(mark)).ok();
  };
  constexpr auto kPackBytes = static_cast<std::uint32_t>(kPackBytesMax);
  EXPECT_TRUE(decodes({{0, 10}, {10, 10}}));
  EXPECT_FALSE(decodes({{0, 10}, {9, 10}}));
  EXPECT_FALSE(decodes({{10, 10}, {0, 10}}));
  EXPECT_FALSE(decodes({{10, 0}}));
  EXPECT_TRUE(decodes({{kPackBytes - 1, 1}}));
  EXPECT_FALSE(decodes({{kPackBytes - 1, 2}}));
  EXPECT_FALSE(decodes({{0xFFFFFFFF, 0xFFFFFFFF}}));
  std::vector<DamagedBlock> most;
  for (std::uint32_t i = 0; i < kDamagedBlocksMax; ++i) most.push_back({i, 1});
  EXPECT_TRUE(decodes(most));
}

}  // namespace
}  // namespace drs
